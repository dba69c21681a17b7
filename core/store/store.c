/* store.c - opening and closing the environment, its version, the daemon's claim. [layer: store] */
#include "store/internal.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[PT_CURSORS] = {
    [PT_CURSOR_SERIES] = "series", [PT_CURSOR_CHUNKS] = "chunks", [PT_CURSOR_TAIL] = "tail",
    [PT_CURSOR_DOCS] = "docs",     [PT_CURSOR_DUE] = "due",       [PT_CURSOR_OUTBOX] = "outbox"
};

/* LMDB's locks are the process's: a second opening of one folder would break those of the first. */
static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static struct pt_store *open_stores;

static enum pt_code register_open(struct pt_store *store, struct pt_err *err)
{
    struct stat st;
    if (stat(store->path, &st) != 0)
        return pt_fail(err, PT_EIO, "%s: %s", store->path, strerror(errno));
    enum pt_code rc = PT_OK;
    store->dev = st.st_dev;
    store->ino = st.st_ino;
    store->pid = getpid();
    pthread_mutex_lock(&open_lock);
    for (struct pt_store *s = open_stores; s; s = s->next) {
        if (s->dev == store->dev && s->ino == store->ino && s->pid == store->pid)
            rc = pt_fail(err, PT_EBUSY, "%s is already open in this process", store->path);
    }
    if (rc == PT_OK) {
        store->next = open_stores;
        open_stores = store;
    }
    pthread_mutex_unlock(&open_lock);
    return rc;
}

static void unregister(struct pt_store *store)
{
    pthread_mutex_lock(&open_lock);
    for (struct pt_store **s = &open_stores; *s; s = &(*s)->next) {
        if (*s != store) continue;
        *s = store->next;
        break;
    }
    pthread_mutex_unlock(&open_lock);
}

/* Makes the folder and those above it. */
static enum pt_code make_folder(const char *path, struct pt_err *err)
{
    char *copy = strdup(path);
    if (!copy) return pt_fail(err, PT_ENOMEM, "%s", path);
    enum pt_code rc = PT_OK;
    for (char *p = copy + 1; rc == PT_OK; p++) {
        if (*p != '/' && *p != '\0') continue;
        char end = *p;
        *p = '\0';
        if (mkdir(copy, 0750) != 0 && errno != EEXIST)
            rc = pt_fail(err, PT_EIO, "making the folder %s: %s", copy, strerror(errno));
        *p = end;
        if (end == '\0') break;
    }
    free(copy);
    return rc;
}

/* A store whose making was cut short has a file without bytes; LMDB would make a lock file beside
 * it, and says nothing that helps. What cannot be looked at is left to LMDB to tell. */
static bool has_data(const char *path)
{
    char file[PATH_MAX];
    struct stat st;
    if ((size_t)snprintf(file, sizeof file, "%s/data.mdb", path) >= sizeof file) return true;
    return stat(file, &st) == 0 ? st.st_size > 0 : errno != ENOENT;
}

static enum pt_code open_env(struct pt_store *store, const struct pt_store_opts *opts,
                             struct pt_err *err)
{
    uint64_t size = opts->max_bytes ? opts->max_bytes : PT_STORE_MAX_BYTES;
    unsigned flags = MDB_NOTLS; /* with read-ahead: measured, a cold scan is 8 times faster */
    if (opts->readonly) flags |= MDB_RDONLY;
    if (!opts->full_sync) flags |= MDB_NOMETASYNC;
    for (;;) {
        int mc = mdb_env_create(&store->env);
        if (mc != 0) return pt_lmdb_fail(err, mc, "%s", store->path);
        mc = mdb_env_set_maxdbs(store->env, PT_CURSORS + 1);
        if (mc == 0) mc = mdb_env_set_maxreaders(store->env, PT_STORE_READERS);
        if (mc == 0) mc = mdb_env_set_mapsize(store->env, size);
        if (mc == 0) mc = mdb_env_open(store->env, store->path, flags, 0640);
        if (mc == 0) break;
        mdb_env_close(store->env);
        store->env = NULL;
        if (mc == EACCES && opts->readonly)
            return pt_fail(err, PT_EIO,
                           "opening the store %s: Permission denied; who reads must be able to "
                           "write its lock.mdb",
                           store->path);
        if (mc != ENOMEM || size / 2 < PT_STORE_MIN_MAP)
            return pt_lmdb_fail(err, mc, "opening the store %s", store->path);
        size /= 2;
        pt_log(PT_WARN, "store", "smaller_map", "path=%s bytes=%" PRIu64, store->path, size);
    }
    mdb_filehandle_t fd;
    if (mdb_env_get_fd(store->env, &fd) == 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
    return PT_OK;
}

static enum pt_code check_version(struct pt_store *store, MDB_txn *txn, struct pt_err *err)
{
    MDB_val key = { 7, "version" }, value;
    uint32_t version = 0;
    int mc = mdb_get(txn, store->meta, &key, &value);
    if (mc != 0 && mc != MDB_NOTFOUND) return pt_lmdb_fail(err, mc, "%s: version", store->path);
    if (mc == MDB_NOTFOUND || value.mv_size != sizeof version)
        return pt_fail(err, PT_EVERSION, "%s holds no store version; it is not ours", store->path);
    memcpy(&version, value.mv_data, sizeof version);
    store->old = version < PT_STORE_VERSION;
    if (version < PT_STORE_VERSION_FIRST || version > PT_STORE_VERSION)
        return pt_fail(err, PT_EVERSION,
                       "%s was made by store version %" PRIu32
                       ", this program reads versions %d to %d",
                       store->path, version, PT_STORE_VERSION_FIRST, PT_STORE_VERSION);
    return PT_OK;
}

int pt_version_put(struct pt_store *store, MDB_txn *txn)
{
    uint32_t version = PT_STORE_VERSION;
    MDB_val key = { 7, "version" }, value = { sizeof version, &version };
    return mdb_put(txn, store->meta, &key, &value, 0);
}

/* Opens all databases in one transaction; MDB_NOTFOUND: they are not there yet. */
static int open_databases(struct pt_store *store, MDB_txn *txn, unsigned flags)
{
    int mc = mdb_dbi_open(txn, "meta", flags, &store->meta);
    for (int i = 0; i < PT_CURSORS && mc == 0; i++)
        mc = mdb_dbi_open(txn, names[i], flags, &store->dbi[i]);
    return mc;
}

static enum pt_code create(struct pt_store *store, struct pt_err *err)
{
    MDB_txn *txn = NULL;
    MDB_dbi root;
    MDB_stat stat;
    enum pt_code rc = PT_OK;
    int mc = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (mc != 0) return pt_lmdb_fail(err, mc, "making the store %s", store->path);
    mc = mdb_dbi_open(txn, NULL, 0, &root);
    if (mc == 0) mc = mdb_stat(txn, root, &stat);
    bool empty = mc == 0 && stat.ms_entries == 0;
    if (mc == 0) mc = open_databases(store, txn, MDB_CREATE); /* another may have been faster */
    if (mc == 0 && empty) mc = pt_version_put(store, txn);
    if (mc == 0) rc = check_version(store, txn, err);
    if (mc != 0 || rc != PT_OK) {
        mdb_txn_abort(txn);
    } else {
        mc = mdb_txn_commit(txn);
    }
    return mc == 0 ? rc : pt_lmdb_fail(err, mc, "making the store %s", store->path);
}

void pt_version_told(struct pt_store *store)
{
    store->old = false;
    pt_log(PT_INFO, "store", "upgraded", "path=%s version=%d", store->path, PT_STORE_VERSION);
}

/* Who serves the folder: its file says "PID VERSION"; programs of before wrote no version. */
struct holder {
    char pid[24];
    bool before;
};

/* A daemon holds a lock. PT_EBUSY: another one does, *holder. */
static enum pt_code lock_daemon(const struct pt_store *store, int *fd, struct holder *holder,
                                struct pt_err *err)
{
    char path[4096], text[24] = "";
    if ((size_t)snprintf(path, sizeof path, "%s/daemon.lock", store->path) >= sizeof path)
        return pt_fail(err, PT_EINVAL, "the store's path is too long");
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (*fd < 0) return pt_fail(err, PT_EIO, "%s: %s", path, strerror(errno));
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0) return PT_OK;
    int why = errno;
    ssize_t len = pread(*fd, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    close(*fd);
    *fd = -1;
    if (why != EWOULDBLOCK) return pt_fail(err, PT_EIO, "%s: %s", path, strerror(why));
    size_t digits = strspn(text, "0123456789");
    holder->before = text[digits] != ' ';
    snprintf(holder->pid, sizeof holder->pid, "%.*s", (int)digits, text);
    if (digits == 0) strcpy(holder->pid, "(unknown)");
    return pt_fail(err, PT_EBUSY, "the store %s is already served by process %s", store->path,
                   holder->pid);
}

/* May the store become one of this version? A daemon of before has looked already, and would call
 * damaged what is written from now on. *fd: held meanwhile, so that none comes; or -1. */
static enum pt_code may_upgrade(const struct pt_store *store, int *fd, struct pt_err *err)
{
    struct holder holder;
    enum pt_code rc = lock_daemon(store, fd, &holder, err);
    if (rc != PT_EBUSY) return rc;
    if (!holder.before) return PT_OK;
    return pt_fail(err, PT_EBUSY,
                   "the store %s is of version %d and served by process %s, which is of an older "
                   "program: stop it before this one writes",
                   store->path, PT_STORE_VERSION_FIRST, holder.pid);
}

/* Where there is no room now, the first commit says of which version the store is. */
static enum pt_code upgrade(struct pt_store *store, struct pt_err *err)
{
    MDB_txn *txn = NULL;
    int fd = -1, mc = 0;
    enum pt_code rc = pt_txn_enter(store, &txn, true, err);
    if (rc != PT_OK) return rc;
    rc = check_version(store, txn, err); /* another may have been faster */
    if (rc == PT_OK && store->old) rc = may_upgrade(store, &fd, err);
    if (rc == PT_OK && store->old) mc = pt_version_put(store, txn);
    if (rc != PT_OK || !store->old || mc != 0)
        mdb_txn_abort(txn);
    else
        mc = mdb_txn_commit(txn);
    pt_txn_leave(store);
    if (fd >= 0) close(fd);
    if (mc != 0)
        pt_log(PT_WARN, "store", "not_upgraded", "path=%s error=\"%s\"", store->path,
               mdb_strerror(mc));
    else if (rc == PT_OK && store->old)
        pt_version_told(store);
    return rc;
}

static enum pt_code open_or_create(struct pt_store *store, struct pt_err *err)
{
    MDB_txn *txn = NULL;
    enum pt_code rc = pt_txn_enter(store, &txn, false, err);
    if (rc != PT_OK) return rc;
    int mc = open_databases(store, txn, 0);
    if (mc == 0) rc = check_version(store, txn, err);
    if (mc != 0 || rc != PT_OK)
        mdb_txn_abort(txn);
    else
        mc = mdb_txn_commit(txn); /* an abort would close the handles again */
    pt_txn_leave(store);
    if (mc == MDB_NOTFOUND && store->readonly)
        return pt_fail(err, PT_ENOENT, "%s holds no store", store->path);
    if (mc == MDB_NOTFOUND)
        rc = create(store, err);
    else if (mc != 0)
        rc = pt_lmdb_fail(err, mc, "opening the store %s", store->path);
    return rc == PT_OK && store->old && !store->readonly ? upgrade(store, err) : rc;
}

enum pt_code pt_store_open(const struct pt_store_opts *opts, struct pt_store **out,
                           struct pt_err *err)
{
    struct stat st;
    pthread_condattr_t attr;
    *out = NULL;
    if (opts->path[0] == '\0') return pt_fail(err, PT_EINVAL, "the path of the store is empty");
    struct pt_store *store = calloc(1, sizeof *store);
    if (!store) return pt_fail(err, PT_ENOMEM, "%s", opts->path);
    pthread_mutex_init(&store->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&store->idle, &attr);
    pthread_condattr_destroy(&attr);
    store->claim_fd = -1;
    store->readonly = opts->readonly;
    store->path = strdup(opts->path);
    enum pt_code rc = store->path ? PT_OK : pt_fail(err, PT_ENOMEM, "%s", opts->path);

    if (rc == PT_OK && stat(opts->path, &st) != 0) {
        if (errno != ENOENT)
            rc = pt_fail(err, PT_EIO, "%s: %s", opts->path, strerror(errno));
        else if (opts->readonly)
            rc = pt_fail(err, PT_ENOENT,
                         "there is no store at %s (`petrosa import` makes one; --data DIR or "
                         "[store] path names another)",
                         opts->path);
        else
            rc = make_folder(opts->path, err);
    } else if (rc == PT_OK && !S_ISDIR(st.st_mode)) {
        rc = pt_fail(err, PT_EINVAL, "%s is no folder", opts->path);
    }
    if (rc == PT_OK && opts->readonly && !has_data(opts->path))
        rc = pt_fail(err, PT_ENOENT, "%s holds no store", opts->path);
    if (rc == PT_OK) rc = register_open(store, err);
    if (rc == PT_OK) rc = open_env(store, opts, err);
    if (rc == PT_OK) rc = open_or_create(store, err);
    if (rc == PT_OK) {
        pt_store_reap_readers(store);
        *out = store;
        return PT_OK;
    }
    pt_store_close(store);
    return rc;
}

void pt_store_close(struct pt_store *store)
{
    if (!store) return;
    pt_readers_free(store);
    if (store->env) mdb_env_close(store->env);
    unregister(store);
    if (store->claim_fd >= 0) close(store->claim_fd);
    pthread_cond_destroy(&store->idle);
    pthread_mutex_destroy(&store->lock);
    free(store->path);
    free(store);
}

const char *pt_store_path(const struct pt_store *store)
{
    return store->path;
}

enum pt_code pt_store_claim(struct pt_store *store, struct pt_err *err)
{
    struct holder holder;
    char text[40];
    int fd;
    if (store->claim_fd >= 0) return PT_OK;
    enum pt_code rc = lock_daemon(store, &fd, &holder, err);
    if (rc != PT_OK) return rc;
    int len = snprintf(text, sizeof text, "%ld %d\n", (long)getpid(), PT_STORE_VERSION);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len) {
        int why = errno;
        close(fd);
        return pt_fail(err, why == ENOSPC ? PT_EFULL : PT_EIO, "%s/daemon.lock: %s", store->path,
                       strerror(why));
    }
    store->claim_fd = fd;
    return PT_OK;
}

/* Asked of a snapshot, not of mdb_env_info(): that one tells of a commit a moment before snapshots
 * show it, and what was read in that moment would be taken for the new commit's. */
uint64_t pt_store_commit_id(struct pt_store *store)
{
    struct pt_read *read = NULL;
    if (pt_read_begin(store, &read, NULL) != PT_OK) return 0;
    uint64_t id = mdb_txn_id(read->txn);
    pt_read_end(read);
    return id;
}

void pt_store_reap_readers(struct pt_store *store)
{
    int dead = 0;
    int mc = mdb_reader_check(store->env, &dead);
    if (mc != 0)
        pt_log(PT_WARN, "store", "reader_check", "path=%s error=\"%s\"", store->path,
               mdb_strerror(mc));
    else if (dead > 0)
        pt_log(PT_INFO, "store", "readers_reaped", "path=%s n=%d", store->path, dead);
}
