#!/usr/bin/env python3
"""The REST server as clients, careless and hostile ones among them, meet it: the real daemon, real sockets."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
from harness import main  # noqa: E402
from abuse import *  # noqa: E402,F401,F403
from alerts import *  # noqa: E402,F401,F403
from analysis import *  # noqa: E402,F401,F403
from anomalies import *  # noqa: E402,F401,F403
from catalog import *  # noqa: E402,F401,F403
from correlation import *  # noqa: E402,F401,F403
from data import *  # noqa: E402,F401,F403
from kept import *  # noqa: E402,F401,F403
from market import *  # noqa: E402,F401,F403
from others import *  # noqa: E402,F401,F403
from quality import *  # noqa: E402,F401,F403
from regime import *  # noqa: E402,F401,F403
from reload import *  # noqa: E402,F401,F403
from rules import *  # noqa: E402,F401,F403

if __name__ == "__main__":
    main("http")
