// What a session holds besides its statements, in transaction mode: two clients take turns on one
// backend, and neither ever sees what is the other's.

#include <fmt/format.h>

#include <thread>

#include "tests/support/turns.h"

namespace pgweir::test {
namespace {

class State : public Turns {
 protected:
  // The backend that serves this client now.
  static std::string Pid(const Connection& client) {
    return client.Value("select pg_backend_pid()");
  }
};

TEST_P(State, UnreportedSettingsAreCarried) {
  Connection one(Conninfo()), two(Conninfo());
  one.Exec("set work_mem = '5MB'");
  two.Exec("set statement_timeout = '50s'; set work_mem = '7MB'");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(one.Value("show work_mem"), "5MB");
    EXPECT_EQ(one.Value("show statement_timeout"), "0");
    EXPECT_EQ(two.Value("show work_mem"), "7MB");
    EXPECT_EQ(two.Value("show statement_timeout"), "50s");
  }
  two.Exec("reset work_mem");
  EXPECT_EQ(one.Value("show work_mem"), "5MB");
  EXPECT_EQ(two.Value("show work_mem"), "4MB");
  EXPECT_EQ(two.Value("show statement_timeout"), "50s");
  one.Exec("reset all");
  EXPECT_EQ(two.Value("show statement_timeout"), "50s");
  EXPECT_EQ(one.Value("show work_mem"), "4MB");
  two.Exec("discard all");
  EXPECT_EQ(one.Value("show statement_timeout"), "0");
  EXPECT_EQ(two.Value("show statement_timeout"), "0");
}

TEST_P(State, SettingsAreCarriedWhateverTheProtocol) {
  Connection one(Conninfo()), two(Conninfo());
  one.ExecParams("set work_mem = '5MB'", {});
  Result prepared(
      PQprepare(two.get(), "s", "select set_config('work_mem', $1, false)", 0, nullptr));
  ASSERT_TRUE(prepared.ok()) << prepared.message();
  for (const char* value : {"6MB", "7MB"}) {
    Result set(PQexecPrepared(two.get(), "s", 1, &value, nullptr, nullptr, 0));
    ASSERT_TRUE(set.ok()) << set.message();
    EXPECT_EQ(one.Value("show work_mem"), "5MB");
    EXPECT_EQ(two.Value("show work_mem"), value);
  }
}

// A literal is read when its statement is prepared: another client with other settings must not
// meet the first one's reading, however the statement came to be on the backend.
TEST_P(State, PreparedLiteralsAreReadByOnesOwnSettings) {
  const char* noon = "select extract(epoch from timestamptz '2024-03-01 12:00')::int8";
  Connection one(Conninfo("options='-c TimeZone=UTC'")), two(Conninfo("options='-c TimeZone=UTC'"));
  const auto prepare = [&](const Connection& client) {
    const Result prepared(PQprepare(client.get(), "noon", noon, 0, nullptr));
    ASSERT_TRUE(prepared.ok()) << prepared.message();
  };
  const auto read = [](const Connection& client) {
    const Result result(PQexecPrepared(client.get(), "noon", 0, nullptr, nullptr, nullptr, 0));
    return result.ok() ? result.Value() : result.message();
  };
  prepare(one);
  prepare(two);
  EXPECT_EQ(read(two), "1709294400");
  for (const char* change :
       {"set timezone = 'Asia/Tokyo'", "begin; set local timezone = 'Asia/Tokyo'"}) {
    one.Exec("reset timezone");
    two.Exec("discard plans; do $$ begin end $$");  // which takes the statement off the backend
    one.Exec(change);
    read(one);
    one.Exec("rollback");
    EXPECT_EQ(read(two), "1709294400") << change;
  }
}

// RESET goes back to what the client's start-up packet said.
TEST_P(State, ResetGoesBackToTheLogin) {
  Connection one(Conninfo("options='-c work_mem=5MB -c TimeZone=Asia/Tokyo' application_name=one"));
  Connection two(Conninfo());
  for (const char* reset :
       {"reset all", "reset work_mem; reset timezone; reset application_name", "discard all"}) {
    one.Exec("set work_mem = '6MB'; set timezone = 'UTC'; set application_name = 'changed'");
    one.Exec("set statement_timeout = '1h'");
    EXPECT_EQ(two.Value("show work_mem"), "4MB");
    one.Exec(reset);
    EXPECT_EQ(two.Value("show work_mem"), "4MB");
    EXPECT_EQ(one.Value("show work_mem"), "5MB") << reset;
    EXPECT_EQ(one.Value("show TimeZone"), "Asia/Tokyo") << reset;
    EXPECT_EQ(one.Parameter("TimeZone"), "Asia/Tokyo") << reset;
    EXPECT_EQ(one.Value("show application_name"), "one") << reset;
    one.Exec("reset statement_timeout");
  }
  one.Exec("begin; set work_mem = '7MB'");
  one.ExecParams("reset work_mem", {});
  one.Exec("rollback");
  EXPECT_EQ(one.Value("show work_mem"), "5MB");
  one.Exec("begin; set work_mem = '7MB'");
  one.ExecParams("reset work_mem", {});
  one.Exec("commit");
  EXPECT_EQ(two.Value("show work_mem"), "4MB");
  EXPECT_EQ(one.Value("show work_mem"), "5MB");
  one.Exec("begin; reset work_mem; set work_mem = '9MB'; commit");
  EXPECT_EQ(one.Value("show work_mem"), "9MB");
}

// Rule 71
TEST_P(State, SettingsOfARolledBackTransactionAreNotCarried) {
  Connection one(Conninfo()), two(Conninfo());
  one.Exec("set work_mem = '5MB'");
  one.Exec("begin; set work_mem = '6MB'; savepoint a; set work_mem = '7MB'");
  EXPECT_EQ(one.Value("show work_mem"), "7MB");
  one.Exec("rollback to a");
  EXPECT_EQ(one.Value("show work_mem"), "6MB");
  one.Exec("rollback");
  EXPECT_EQ(two.Value("show work_mem"), "4MB");
  EXPECT_EQ(one.Value("show work_mem"), "5MB");
  one.Exec("begin; savepoint a; set work_mem = '8MB'; release a; commit");
  EXPECT_EQ(two.Value("show work_mem"), "4MB");
  EXPECT_EQ(one.Value("show work_mem"), "8MB");
  one.Exec("set work_mem = '9MB'; select 1 / 0");
  EXPECT_EQ(two.Value("show work_mem"), "4MB");
  EXPECT_EQ(one.Value("show work_mem"), "8MB");
}

TEST_P(State, LocalSettingsEndWithTheirTransaction) {
  Connection one(Conninfo()), two(Conninfo());
  one.Exec("begin; set local work_mem = '6MB'; commit");
  EXPECT_EQ(one.Value("show work_mem"), "4MB");
  EXPECT_EQ(two.Value("show work_mem"), "4MB");
}

// Rule 73
TEST_P(State, SearchPathIsCarried) {
  server().Query("create schema if not exists other; create table if not exists other.here ()");
  Connection one(Conninfo()), two(Conninfo());
  one.Exec("set search_path = other, \"$user\", \"we ird\"");
  two.Exec("set search_path = ''");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(one.Value("show search_path"), "other, \"$user\", \"we ird\"");
    EXPECT_EQ(two.Value("show search_path"), "\"\"");
    EXPECT_TRUE(one.Exec("select from here").ok());
    EXPECT_EQ(two.Exec("select from here").sqlstate(), "42P01");
  }
}

// PostgreSQL doesn't forget a name with a dot; a client that never set it must not find it.
TEST_P(State, CustomSettingsAreKnownToTheirClientOnly) {
  Connection one(Conninfo()), two(Conninfo()), three(Conninfo());
  one.Exec("set app.tenant = '1'");
  three.Exec("select set_config('app.tenant', '3', false)");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(one.Value("select current_setting('app.tenant', true)"), "1");
    EXPECT_EQ(two.Value("select current_setting('app.tenant', true) is null"), "t");
    EXPECT_EQ(two.Exec("show app.tenant").sqlstate(), "42704");
    EXPECT_EQ(three.Value("select current_setting('app.tenant', true)"), "3");
  }
  one.Exec("reset app.tenant");
  EXPECT_EQ(two.Value("select current_setting('app.tenant', true) is null"), "t");
  EXPECT_EQ(one.Value("select current_setting('app.tenant', true) = ''"), "t");
}

TEST_P(State, CustomSettingsOfATransactionLeaveTheirName) {
  Connection one(Conninfo()), two(Conninfo());
  one.Exec("begin; select set_config('app.user', '1', true); commit");
  EXPECT_EQ(two.Value("select current_setting('app.user', true) is null"), "t");
  EXPECT_EQ(one.Value("select current_setting('app.user', true) = ''"), "t");
}

// Rule 74
// Two clients that have the same ones share backends; a name that only the server has seen is
// nobody's but its session's all the same.
TEST_P(State, CustomSettingsThatNobodySawAreNotSharedByThoseWithTheSameOnes) {
  Connection one(Conninfo()), two(Conninfo());
  ASSERT_TRUE(one.Exec("set app.tenant = '1'").ok());
  ASSERT_TRUE(two.Exec("set app.tenant = '2'").ok());
  ASSERT_TRUE(one.Exec("do $$ begin perform set_config('app.unseen', 'one', false); end $$").ok());
  EXPECT_EQ(two.Value("select current_setting('app.unseen', true) is null"), "t");
  EXPECT_EQ(two.Value("select current_setting('app.tenant', true)"), "2");
}

TEST_P(State, RolesAreCarried) {
  server().Query("drop role if exists reader; create role reader");
  Connection one(Conninfo()), two(Conninfo()), three(Conninfo());
  one.Exec("set role reader");
  three.Exec("set session authorization reader");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(one.Value("select current_user || ' ' || session_user"), "reader postgres");
    EXPECT_EQ(two.Value("select current_user || ' ' || session_user"), "postgres postgres");
    EXPECT_EQ(three.Value("select current_user || ' ' || session_user"), "reader reader");
  }
  one.Exec("reset role");
  three.Exec("reset session authorization");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(one.Value("select current_user || ' ' || session_user"), "postgres postgres");
    EXPECT_EQ(two.Value("select current_user || ' ' || session_user"), "postgres postgres");
    EXPECT_EQ(three.Value("select current_user || ' ' || session_user"), "postgres postgres");
  }
}

PGWEIR_BOTH_WAYS(State);

// What can't be carried keeps its session on its backend; the others get another one.
class Pinned : public State {
 protected:
  // What the next notification says, or "" when none comes.
  static std::string Heard(const Connection& client) {
    for (int i = 0; i < 500; ++i) {
      PQconsumeInput(client.get());
      const std::unique_ptr<PGnotify, decltype(&PQfreemem)> heard(PQnotifies(client.get()),
                                                                  PQfreemem);
      if (heard != nullptr) return heard->extra;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return "";
  }

  std::string MorePool() const override { return "overflow = 2"; }

  // Whether the session has a backend of its own while another client works.
  bool KeepsItsBackend(const Connection& client) {
    const std::string before = Pid(client);
    Connection other(Conninfo());
    const bool met = Pid(other) == before;
    return !met && Pid(client) == before;
  }
};

// Rule 64
TEST_P(Pinned, WhoListensIsToldAndNobodyElse) {
  Connection one(Conninfo()), two(Conninfo());
  ASSERT_TRUE(one.Exec("listen news").ok());
  EXPECT_TRUE(KeepsItsBackend(one));
  two.Exec("notify news, 'hello'");
  EXPECT_EQ(Heard(one), "hello");
  EXPECT_EQ(two.Value("select count(*) from pg_listening_channels()"), "0");
  if (!through()) return;
  one.Exec("unlisten *");
  EXPECT_FALSE(KeepsItsBackend(one));
}

// Rule 75
TEST_P(Pinned, TemporaryTablesStayWithTheirClient) {
  Connection one(Conninfo()), two(Conninfo());
  ASSERT_TRUE(one.Exec("create temp table mine as select 1 as a").ok());
  EXPECT_TRUE(KeepsItsBackend(one));
  EXPECT_EQ(two.Exec("select * from mine").sqlstate(), "42P01");
  EXPECT_EQ(one.Value("select a from mine"), "1");
  if (!through()) return;
  one.Exec("drop table mine");
  EXPECT_FALSE(KeepsItsBackend(one));
  one.Exec("begin; create temp table gone (a int) on commit drop; commit");
  EXPECT_FALSE(KeepsItsBackend(one));
  one.Exec("begin; create temp table gone (a int); rollback");
  EXPECT_FALSE(KeepsItsBackend(one));
  one.Exec("create function pg_temp.f() returns int language sql as 'select 1'");
  EXPECT_TRUE(KeepsItsBackend(one));
  one.Exec("discard temp");
  EXPECT_FALSE(KeepsItsBackend(one));
  one.Exec("set search_path = pg_temp");
  EXPECT_FALSE(KeepsItsBackend(one));
  one.Exec("create table mine (a int)");
  EXPECT_TRUE(KeepsItsBackend(one));
}

// Rule 75
TEST_P(Pinned, SessionAdvisoryLocksStayWithTheirClient) {
  Connection one(Conninfo()), two(Conninfo());
  ASSERT_TRUE(one.Exec("select pg_advisory_lock(75)").ok());
  EXPECT_TRUE(KeepsItsBackend(one));
  EXPECT_EQ(two.Value("select pg_try_advisory_lock(75)"), "f");
  EXPECT_EQ(one.Value("select pg_advisory_unlock(75)"), "t");
  EXPECT_EQ(two.Value("select pg_try_advisory_xact_lock(75)"), "t");
  if (!through()) return;
  EXPECT_FALSE(KeepsItsBackend(one));
  one.Exec("select pg_advisory_xact_lock(75)");
  EXPECT_FALSE(KeepsItsBackend(one));
}

// Rule 75
TEST_P(Pinned, HeldCursorsStayWithTheirClient) {
  Connection one(Conninfo());
  one.Exec("begin; declare c cursor with hold for select generate_series(1, 3); commit");
  EXPECT_TRUE(KeepsItsBackend(one));
  EXPECT_EQ(one.Value("fetch c"), "1");
  EXPECT_EQ(one.Value("fetch c"), "2");
  if (!through()) return;
  one.Exec("close c");
  EXPECT_FALSE(KeepsItsBackend(one));
}

// Rule 75: the last value of a sequence is its session's, which from then on keeps its backend.
TEST_P(Pinned, ValuesOfSequencesStayWithTheirClient) {
  server().Query("create sequence if not exists counted");
  Connection one(Conninfo()), two(Conninfo());
  one.Exec("select nextval('counted')");
  EXPECT_EQ(two.Exec("select lastval()").sqlstate(), "55000");
  EXPECT_EQ(two.ExecParams("select currval($1)", {"counted"}).sqlstate(), "55000");
  one.Exec("begin; select nextval('counted')");
  const std::string last = one.Value("select lastval()");
  one.Exec("commit");
  EXPECT_EQ(one.Value("select lastval()"), last);
  const std::string next = two.Value("select nextval('counted')");
  EXPECT_EQ(two.Value("select currval('counted')"), next);
  EXPECT_EQ(one.Value("select lastval()"), last);
}

// A client that goes leaves nothing.
TEST_P(Pinned, WhoLeavesTakesItAllAlong) {
  {
    Connection one(Conninfo());
    one.Exec(
        "listen news; create temp table mine (a int); select pg_advisory_lock(76);"
        "set work_mem = '9MB'; prepare p as select 1");
    EXPECT_TRUE(KeepsItsBackend(one));
  }
  for (int i = 0; i < 3; ++i) {
    Connection two(Conninfo());
    EXPECT_EQ(two.Value("select count(*) from pg_listening_channels()"), "0");
    EXPECT_EQ(two.Exec("select * from mine").sqlstate(), "42P01");
    EXPECT_EQ(two.Value("select pg_try_advisory_xact_lock(76)"), "t");
    EXPECT_EQ(two.Value("show work_mem"), "4MB");
    EXPECT_EQ(two.Value("select count(*) from pg_prepared_statements"), "0");
  }
}

// What a DO block does is not seen; the backend is reset behind it.
TEST_P(Pinned, WhatIsDoneUnseenReachesNobodyElse) {
  Connection one(Conninfo()), two(Conninfo());
  one.Exec("do $$ begin perform set_config('work_mem', '9MB', false); end $$");
  EXPECT_EQ(two.Value("show work_mem"), "4MB");
  one.Exec("do $$ begin execute 'listen news'; end $$");
  EXPECT_TRUE(KeepsItsBackend(one));
  EXPECT_EQ(two.Value("select count(*) from pg_listening_channels()"), "0");
  EXPECT_EQ(one.Value("select count(*) from pg_listening_channels()"), "1");
}

// What a function of the user's may do is not seen either, however it is called.
TEST_P(Pinned, WhatFunctionsDoReachesNobodyElse) {
  server().Query(
      "create or replace function meddle() returns int language plpgsql as"
      " $$ begin perform set_config('work_mem', '9MB', false); return 1; end $$;"
      "create or replace view meddling as select meddle();"
      "create table if not exists meddled (a int);"
      "create or replace function meddle_on_write() returns trigger language plpgsql as"
      " $$ begin perform meddle(); return new; end $$;"
      "drop trigger if exists meddle on meddled;"
      "create trigger meddle before insert on meddled for each row execute function"
      " meddle_on_write()");
  Connection one(Conninfo()), two(Conninfo());
  for (const char* sql : {"select meddle()", "select * from meddling",
                          "insert into meddled values (1)", "explain analyze select meddle()"}) {
    EXPECT_TRUE(one.Exec(sql).ok()) << sql;
    EXPECT_EQ(two.Value("show work_mem"), "4MB") << sql;
    EXPECT_TRUE(one.ExecParams(sql, {}).ok()) << sql;
    EXPECT_EQ(two.Value("show work_mem"), "4MB") << sql;
  }
}

// The catalog is asked anew when it has changed.
TEST_P(Pinned, FunctionThatIsNewIsNotTrusted) {
  Connection one(Conninfo()), two(Conninfo());
  for (int i = 0; i < 3; ++i) {
    one.Exec(
        fmt::format("create or replace function newcomer{}() returns int language plpgsql as"
                    " $$ begin perform set_config('work_mem', '9MB', false); return 1; end $$",
                    i));
    EXPECT_TRUE(one.Exec(fmt::format("select newcomer{}()", i)).ok());
    EXPECT_EQ(two.Value("show work_mem"), "4MB");
    std::this_thread::sleep_for(std::chrono::milliseconds(i * 700));
    EXPECT_TRUE(one.Exec(fmt::format("select newcomer{}()", i)).ok());
    EXPECT_EQ(two.Value("show work_mem"), "4MB");
  }
}

PGWEIR_BOTH_WAYS(Pinned);

}  // namespace
}  // namespace pgweir::test
