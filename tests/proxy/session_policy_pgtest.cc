// pool.on_session_state: what becomes of statements that leave on their backend what can't be
// carried to another one. One backend serves everybody.

#include "tests/support/turns.h"

namespace pgweir::test {
namespace {

class Rejected : public Turns {
 protected:
  std::string MorePool() const override { return "on_session_state = \"reject\""; }
};

TEST_P(Rejected, WhatWouldStayIsRefused) {
  Connection one(Conninfo()), two(Conninfo());
  for (const char* sql :
       {"listen news", "select pg_advisory_lock(1)", "create temp table t (a int)",
        "select 1 as a into temp t", "load 'auto_explain'", "set work_mem = '5MB'; listen news",
        "prepare p as select pg_advisory_lock(1)", "select 1; prepare p as select 1"}) {
    const Result simple = one.Exec(sql);
    EXPECT_EQ(simple.sqlstate(), "0A000") << sql;
    EXPECT_NE(simple.message().find("can't be carried"), std::string::npos) << simple.message();
    if (std::string_view(sql).find(';') == std::string_view::npos) {
      EXPECT_EQ(one.ExecParams(sql, {}).sqlstate(), "0A000") << sql;
    }
    EXPECT_EQ(two.Value("select 1"), "1");  // nobody is pinned
  }
  EXPECT_EQ(two.Value("select count(*) from pg_listening_channels()"), "0");
  EXPECT_EQ(one.Value("show work_mem"), "4MB");
}

// The refusal is an error like any other: it fails its transaction, and its batch.
TEST_P(Rejected, ARefusalIsAnError) {
  RawClient client = Client();
  EXPECT_EQ(Simple(client, "begin"), "C(BEGIN) ZT");
  EXPECT_EQ(Simple(client, "declare c cursor with hold for select 1"), "E(0A000) ZE");
  EXPECT_EQ(Simple(client, "listen news"), "E(25P02) ZE");
  EXPECT_EQ(Simple(client, "rollback"), "C(ROLLBACK) ZI");
  EXPECT_EQ(Batch(client, fe::Parse("", "select 1") + fe::Bind("", "") + fe::Execute("") +
                              fe::Parse("s", "listen news") + fe::Bind("", "s") + fe::Execute("")),
            "1 2 D(1) C(SELECT 1) E(0A000) ZI");
  EXPECT_EQ(Batch(client, fe::Bind("", "s")), "E(26000) ZI");
  EXPECT_EQ(Batch(client, fe::Parse("", "listen news")), "E(0A000) ZI");
  EXPECT_EQ(Batch(client, fe::Bind("", "") + fe::Execute("")), "E(26000) ZI");
}

TEST_P(Rejected, WhatEndsWithItsTransactionPasses) {
  Connection one(Conninfo()), two(Conninfo());
  for (const char* sql :
       {"select pg_advisory_xact_lock(1)", "unlisten *", "notify news",
        "select pg_advisory_unlock_all()", "set search_path = public, pg_temp", "discard temp",
        "prepare p as select 1", "drop table if exists nothing"}) {
    EXPECT_TRUE(one.Exec(sql).ok()) << sql;
  }
  one.Exec("begin; declare c cursor for select 1");
  EXPECT_EQ(one.Value("fetch c"), "1");
  EXPECT_TRUE(one.Exec("commit").ok());
  EXPECT_EQ(one.Value("execute p"), "1");
  EXPECT_EQ(two.Value("select 1"), "1");
}

// What is done unseen can't be refused; the backend is reset behind it.
TEST_P(Rejected, WhatIsDoneUnseenIsTakenAway) {
  Connection one(Conninfo()), two(Conninfo());
  EXPECT_TRUE(one.Exec("do $$ begin execute 'listen news'; end $$").ok());
  EXPECT_EQ(two.Value("select count(*) from pg_listening_channels()"), "0");
  one.Exec("set search_path = pg_temp");
  EXPECT_TRUE(one.Exec("create table hidden (a int)").ok());
  EXPECT_EQ(two.Exec("select * from pg_temp.hidden").sqlstate(), "42P01");
}

INSTANTIATE_TEST_SUITE_P(Each, Rejected, testing::Values(Way::kThrough), WayName);

class Allowed : public Turns {
 protected:
  std::string MorePool() const override { return "on_session_state = \"allow\""; }
};

TEST_P(Allowed, WhatStaysIsMetByTheNext) {
  Connection one(Conninfo()), two(Conninfo());
  // Until then every statement is suspect, and its backend reset.
  ASSERT_TRUE(process_->WaitLog("catalog read", std::chrono::seconds(20)));
  EXPECT_TRUE(one.Exec("listen news; select pg_advisory_lock(1)").ok());
  EXPECT_EQ(two.Value("select count(*) from pg_listening_channels()"), "1");
  EXPECT_EQ(two.Value("select pg_advisory_unlock(1)"), "t");
  EXPECT_EQ(one.Exec("select lastval()").sqlstate(), "55000");
  EXPECT_EQ(two.Value("select 1"), "1");
}

INSTANTIATE_TEST_SUITE_P(Each, Allowed, testing::Values(Way::kThrough), WayName);

}  // namespace
}  // namespace pgweir::test
