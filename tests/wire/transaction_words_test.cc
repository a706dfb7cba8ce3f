#include "wire/transaction_words.h"

#include <gtest/gtest.h>

namespace pgweir::wire {
namespace {

TEST(TransactionWords, WhatDoesNothingTwiceMayBeSentAgain) {
  for (const char* sql : {"", " ", ";", "begin", "BEGIN;", " Begin Isolation Level Serializable ; ",
                          "START TRANSACTION READ ONLY", "show server_version", "SHOW x;",
                          "select 1", "SELECT 42;"}) {
    EXPECT_TRUE(MayBeSentAgain(sql)) << sql;
  }
}

TEST(TransactionWords, EveryDoubtIsANo) {
  for (const char* sql :
       {"begin; insert into t values (1)", "begin;commit", "select now()", "select 1, f()",
        "select nextval", "select f(1)", "start", "start slave", "show a; drop table t", "insert",
        "/* a */ begin", "beginning", "select 1 from f()", "select", "begin -- x", "select 1.5"}) {
    EXPECT_FALSE(MayBeSentAgain(sql)) << sql;
  }
}

TEST(TransactionWords, CommitIsFoundWhereverItStands) {
  for (const char* sql :
       {"commit", "COMMIT;", "CoMmIt AND CHAIN", "insert into t values (1); commit",
        "insert into t values (12); commit", "/* x */commit", "end", "END;",
        "prepare transaction 'a'", "commit prepared 'a'"}) {
    EXPECT_TRUE(MayCommit(sql)) << sql;
  }
}

TEST(TransactionWords, LongerWordsAndCasesAreNoCommit) {
  for (const char* sql :
       {"", "c", "comm", "select committed", "select recommit", "select commit_ts",
        "select case when a then b end", "rollback", "execute prepare_it", "select 'mmmmmmmm'"}) {
    EXPECT_FALSE(MayCommit(sql)) << sql;
  }
}

}  // namespace
}  // namespace pgweir::wire
