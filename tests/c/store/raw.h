/* raw.h - writes behind the store's back. */
#ifndef PT_STORE_RAW_H
#define PT_STORE_RAW_H

#include "kit.h"

#include <lmdb.h>

/* A write behind the store's back. */
static inline void raw(const char *path, const char *dbi_name, void (*change)(MDB_cursor *cursor))
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_cursor *cursor;
    CU_ASSERT_EQUAL_FATAL(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 8);
    CU_ASSERT_EQUAL_FATAL(mdb_env_open(env, path, 0, 0640), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_txn_begin(env, NULL, 0, &txn), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_dbi_open(txn, dbi_name, MDB_CREATE, &dbi), 0);
    CU_ASSERT_EQUAL_FATAL(mdb_cursor_open(txn, dbi, &cursor), 0);
    change(cursor);
    mdb_cursor_close(cursor);
    CU_ASSERT_EQUAL_FATAL(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

#endif
