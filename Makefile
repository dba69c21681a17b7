# Thin: the build is CMakeLists.txt, the presets are CMakePresets.json, the tests are tests/run.py.
# Works from any path, also one with spaces; `make help` lists the targets.
SHELL := /bin/bash
JOBS  ?= $(shell nproc)

BUILD_PACKAGES := build-essential cmake ninja-build pkg-config git \
  libbson-dev libcjson-dev libevent-dev liblmdb-dev libluajit-5.1-dev libopenblas-pthread-dev \
  libseccomp-dev libsqlite3-dev libxxhash-dev libzip-dev zlib1g-dev
TEST_PACKAGES := clang libcunit1-dev lua-busted lua-check lua-cjson luajit curl python3 python3-numpy python3-pandas \
  python3-scipy python3-sklearn python3-statsmodels
BENCH_PACKAGES := sqlite3 wrk

build: setup-build ## builds build/release
	@$(call preset,release)

# Installs what is missing, and only that; with sudo where we are not root.
define install
	missing=(); for package in $(1); do \
	  dpkg-query -W -f='$${Status}' "$$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$$package"); done; \
	if [ $${#missing[@]} -gt 0 ]; then \
	  echo "installing: $${missing[*]}"; \
	  if [ "$$(id -u)" = 0 ]; then as_root=(env); else as_root=(sudo env); fi; \
	  "$${as_root[@]}" DEBIAN_FRONTEND=noninteractive sh -c 'apt-get -q update && apt-get -q -y --no-install-recommends install "$$@"' sh "$${missing[@]}" \
	    > .setup.log 2>&1 || { tail -n 20 .setup.log; echo "make: could not install: $${missing[*]} (see .setup.log)"; exit 1; }; \
	  rm -f .setup.log; \
	fi
endef
# The sanitizer and fuzzer runtimes carry clang's major version in their package's name.
CLANG_RT = $(shell clang --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/libclang-rt-\1-dev/p')
define preset
	{ [ -f build/$(1)/build.ninja ] || cmake --preset $(1) > build-$(1).log 2>&1 || { cat build-$(1).log; exit 1; }; }; \
	rm -f build-$(1).log; cmake --build --preset $(1) -j $(JOBS)
endef

setup-build:
	@$(call install,$(BUILD_PACKAGES))
setup-tools: setup-build
	@$(call install,$(TEST_PACKAGES))
setup-test: setup-tools
	@$(call install,$(CLANG_RT))
setup: setup-build setup-test ## installs every package that building and testing needs

demo: build ## runs the engine on 90 days of simulated market and a live simulated feed
	@build/release/petrosa demo

test: setup-test ## builds and runs every test
	@$(call preset,release)
	@$(call preset,dev)
	@$(call preset,fuzz)
	@python3 tests/run.py

tsan: setup-test ## the threaded suites under ThreadSanitizer
	@$(call preset,tsan)
	@python3 tests/run.py --tsan

bench: setup-test ## every figure beside a peer measured in the same run
	@$(call install,$(BENCH_PACKAGES))
	@$(call preset,release)
	@cmake --build --preset release -j $(JOBS) --target bench
	@python3 tests/bench/run.py

fuzz: setup-test ## every decoder, ten minutes each (FUZZ_SECONDS=n for another time)
	@$(call preset,fuzz)
	@python3 tests/fuzz/run.py --seconds $(or $(FUZZ_SECONDS),600)

torture: setup-test ## kill -9 at 200 random moments, hostile scripts, 2,000 reloads
	@$(call preset,release)
	@python3 tests/torture/run.py --long

format: ## clang-format over our C files
	@git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i

lint: setup-test ## luacheck, and the rules of the house
	@luacheck -q .
	@python3 tests/layers.py

install: build ## into DESTDIR and PREFIX (/usr/local)
	@cmake --install build/release --prefix "$(or $(PREFIX),/usr/local)"

clean: ## removes everything built
	@rm -rf build

help: ## this list
	@grep -hE '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/' | sort | expand -t 12

.PHONY: build setup setup-build setup-tools setup-test demo test tsan bench fuzz torture format lint install clean help
.DEFAULT_GOAL := build
