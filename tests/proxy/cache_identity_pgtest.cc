// The query cache: who asks, by what names and settings. Of the situations in which a cached answer
// would be wrong, 1 to 17 and the settings that change an answer.

#include "fmt/format.h"
#include "tests/support/cached_test.h"

namespace pgweir::test {
namespace {

constexpr std::string_view kRules = R"(
[[cache.rules]]
tables = ["guarded", "guarded_parent", "over_guarded"]
key_settings = ["app.tenant"]
ttl = "60s"
[[cache.rules]]
pattern = "."
ttl = "60s"
)";

constexpr std::string_view kSchema = R"(
create role reader; grant reader to alice, bob;
create role carol login;
grant select on counter to reader, carol;
create view who as select current_user as who, n from counter;
grant select on who to alice, bob;

create table mine (n int); insert into mine select 0; grant select on mine to alice;
create table members (n int); insert into members select 0; grant select on members to reader;

create table guarded (tenant text, n int);
insert into guarded values ('a', 0), ('b', 0);
alter table guarded enable row level security;
create policy own on guarded using (tenant = current_setting('app.tenant', true));
create view over_guarded with (security_invoker = true) as select * from guarded;
create table unlisted (n int); insert into unlisted values (0);
alter table unlisted enable row level security;
create policy own on unlisted using (true);
create table guarded_parent (tenant text, n int) partition by list (tenant);
create table guarded_a partition of guarded_parent for values in ('a');
insert into guarded_parent values ('a', 0);
alter table guarded_parent enable row level security;
create policy own on guarded_parent using (true);
grant select on guarded, over_guarded, unlisted, guarded_parent to alice, bob;

create schema one; create schema two; create schema alice;
create table one.here (n int, place text); insert into one.here values (0, 'one');
create table two.here (n int, place text); insert into two.here values (0, 'two');
create table alice.here (n int, place text); insert into alice.here values (0, 'alice');
grant usage on schema one, two, alice to public;
grant select on one.here, two.here, alice.here to public;
create function one.f(int) returns text language sql immutable as $$select 'one'$$;
create function two.f(int) returns text language sql immutable as $$select 'two'$$;
create function go_to(text) returns void language sql volatile
  as $$select set_config('search_path', $1, false)$$;

create function definer() returns int language sql stable security definer
  as $$select n from counter$$;
create view invoker with (security_invoker = true) as select n from counter;
grant select on invoker to alice, bob;

create table changing (n int); insert into changing values (0);
create view over_changing as select n from changing;
create type mood as enum ('good');
create table moods (m mood, n int); insert into moods values ('good', 0);
)";

class CacheIdentity : public CachedTest {
 protected:
  static void SetUpTestSuite() { Begin(kSchema, kRules); }

  static constexpr std::string_view kRead = "select n from counter";

  // What the statement gives, or the SQLSTATE.
  static std::string Answer(const Connection& client, std::string_view sql) {
    const Result result = client.Exec(sql);
    return result.ok() ? result.Value() : result.sqlstate();
  }
  static void Set(const Connection& client, std::string_view sql) {
    const Result result = client.Exec(sql);
    EXPECT_TRUE(result.ok()) << sql << ": " << result.message();
  }
  // Reads, and changes the counter behind pgweir's back: an answer from the cache is the one that
  // this returns.
  static std::string Fill(const Connection& client, std::string_view sql = kRead) {
    std::string answer = client.Value(sql);
    Count();
    EXPECT_EQ(client.Value(sql), answer) << sql << " isn't cached";
    return answer;
  }
};

// Situation 1.
TEST_F(CacheIdentity, RolesDoNotShareAnswers) {
  const Connection alice = Client("alice"), bob = Client("bob");
  EXPECT_EQ(alice.Value("select current_user from counter"), "alice");
  EXPECT_EQ(bob.Value("select current_user from counter"), "bob");
  EXPECT_EQ(alice.Value("select who from who"), "alice");
  EXPECT_EQ(bob.Value("select who from who"), "bob");
  const std::string filled = Fill(alice);
  EXPECT_EQ(bob.Value(kRead), Counter());
  EXPECT_EQ(alice.Value(kRead), filled);
  EXPECT_EQ(Client("alice").Value(kRead), filled) << "of one role they do";
}

// Situation 2.
TEST_F(CacheIdentity, OfTheRoleThatCounts) {
  const Connection client = Client();
  const std::string filled = Fill(client);
  Set(client, "set role alice");
  EXPECT_EQ(client.Value(kRead), Counter());
  Set(client, "reset role");
  EXPECT_EQ(client.Value("select current_user from counter"), "postgres");
  Set(client, "set session authorization bob");
  EXPECT_EQ(client.Value(kRead), Counter());
  EXPECT_EQ(client.Value("select current_user from counter"), "bob");
  Set(client, "reset session authorization");
  EXPECT_EQ(client.Value("select current_user from counter"), "postgres");
  Set(client, "begin; set local role alice");
  EXPECT_EQ(client.Value("select current_user from counter"), "alice");
  EXPECT_EQ(client.Value(kRead), Counter());
  Set(client, "commit");
  EXPECT_EQ(client.Value("select current_user from counter"), "postgres");
  EXPECT_EQ(Client().Value(kRead), filled);
}

// Situation 2: the same effective role after two logins.
TEST_F(CacheIdentity, LoginsDoNotShareTheRoleThatBothSet) {
  const Connection alice = Client("alice"), bob = Client("bob");
  Set(alice, "set role reader");
  Set(bob, "set role reader");
  Fill(alice);
  EXPECT_EQ(bob.Value(kRead), Counter());
}

// Situation 3.
TEST_F(CacheIdentity, SettingsByFunctionAreNotMissed) {
  const Connection client = Client(), other = Client();
  Fill(client);
  EXPECT_FALSE(Repeats(client, "select set_config('app.x', n::text, false) from counter"));
  client.Value("select set_config('role', 'alice', false)");
  EXPECT_EQ(client.Value(kRead), Counter());
  EXPECT_EQ(client.Value("select current_user from counter"), "alice");
  Set(client, "reset role");
  client.Value("select set_config('search_path', 'two', false)");
  EXPECT_EQ(client.Value("select place from here"), "two");
  Set(other, "set search_path to one");
  EXPECT_EQ(other.Value("select place from here"), "one");
}

// Situation 3: what a function has set may be lost, but others never see what was read under it.
TEST_F(CacheIdentity, WhatAFunctionHasSetUnseenDoesNotFillOthersAnswers) {
  const auto process = Start(Options(kRules, "", "size = 1"));
  const Connection client(process->Conninfo()), other(process->Conninfo());
  ASSERT_TRUE(WaitKnown(*process));
  for (const char* change : {"select go_to('two')", "do $$ begin perform go_to('two'); end $$"}) {
    SCOPED_TRACE(change);
    Set(client, "set search_path to one, public");
    Set(other, "set search_path to one, public");
    Console("cache flush", *process);
    Set(client, change);
    client.Exec("select place from here");
    client.Exec("select place from here");
    EXPECT_EQ(other.Value("select place from here"), "one");
  }
}

// Situation 4.
TEST_F(CacheIdentity, RowSecurityIsNotCachedUnlessItsSettingsAreNamed) {
  const Connection alice = Client("alice"), bob = Client("bob");
  EXPECT_FALSE(Repeats(alice, "select u.n, c.n from unlisted u, counter c"));
  Set(alice, "set app.tenant = 'a'");
  const auto read = [&](std::string_view from) {
    return [&alice, from] { return alice.Value(fmt::format("select n from {}", from)); };
  };
  const auto outdated = [&](const CachedTest::Read& asked, std::string_view table) {
    const std::string first = asked();
    Behind(fmt::format("update {} set n = n + 1", table));
    return asked() != first;
  };
  EXPECT_FALSE(outdated(read("guarded"), "guarded"));
  EXPECT_FALSE(outdated(read("over_guarded"), "guarded"));
  EXPECT_FALSE(outdated(read("guarded_parent"), "guarded_parent"));
  EXPECT_TRUE(outdated(read("guarded join (select 1 from counter) x on true"), "guarded"))
      << "no rule is for both";
  EXPECT_EQ(alice.Value("select tenant from guarded"), "a");
  Set(alice, "set app.tenant = 'b'");
  EXPECT_EQ(alice.Value("select tenant from guarded"), "b");
  EXPECT_EQ(Answer(bob, "select count(*) from guarded"), "0");
}

// Situation 5.
TEST_F(CacheIdentity, RowSecurityOffIsAnotherQuestion) {
  const Connection alice = Client("alice"), owner = Client();
  Set(alice, "set app.tenant = 'a'");
  EXPECT_EQ(alice.Value("select count(*) from guarded"), "1");
  EXPECT_EQ(alice.Value("select count(*) from guarded"), "1");
  EXPECT_EQ(owner.Value("select count(*) from guarded"), "2");
  Set(alice, "set row_security = off");
  EXPECT_EQ(Answer(alice, "select count(*) from guarded"), "42501");
}

// Situation 6.
TEST_F(CacheIdentity, NothingIsReadBehindARevoke) {
  const Connection alice = Client("alice"), bob = Client("bob"), owner = Client();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(alice.Value("select n from mine"), "0");
    EXPECT_EQ(bob.Value("select n from members"), "0");
  }
  Set(owner, "revoke select on mine from alice");
  EXPECT_EQ(Answer(alice, "select n from mine"), "42501");
  Set(owner, "revoke reader from bob");
  EXPECT_EQ(Answer(bob, "select n from members"), "42501");
  Set(owner, "grant select on mine to alice");
  EXPECT_EQ(alice.Value("select n from mine"), "0");
  Set(owner, "grant reader to bob");
  EXPECT_EQ(bob.Value("select n from members"), "0");
}

// Situation 6: each of these outdates all answers, whatever it is about.
TEST_F(CacheIdentity, WhatChangesPermissionsOutdatesAll) {
  const Connection client = Client();
  const auto read = [&] { return client.Value("select n from counter"); };
  for (const char* sql :
       {"alter role bob set work_mem = '5MB'", "grant reader to carol",
        "alter policy own on guarded using (tenant = current_setting('app.tenant', true))",
        "alter default privileges grant select on tables to bob", "drop owned by carol",
        "grant select on counter to carol"}) {
    ASSERT_TRUE(WaitKnown()) << sql;
    EXPECT_TRUE(Outdates([&] { Set(client, sql); }, read)) << sql;
  }
}

// Situation 7: who isn't there any more reads nothing more.
TEST_F(CacheIdentity, DroppedRolesReadNothing) {
  const Connection owner = Client(), carol = Client("carol");
  const std::string filled = carol.Value(kRead);
  EXPECT_EQ(carol.Value(kRead), filled);
  Set(owner, "revoke all on counter from carol; drop role carol");
  const Result after = carol.Exec(kRead);
  EXPECT_FALSE(after.ok()) << after.Value();
  Set(owner, "create role carol login; grant select on counter to carol");
}

// Situation 8.
TEST_F(CacheIdentity, FunctionsAndViewsOfOtherRoles) {
  const Connection alice = Client("alice"), bob = Client("bob");
  EXPECT_FALSE(Repeats(alice, "select definer(), n from counter"));
  const std::string filled = Fill(alice, "select n from invoker");
  EXPECT_EQ(bob.Value("select n from invoker"), Counter());
  EXPECT_EQ(alice.Value("select n from invoker"), filled);
  const Connection owner = Client();
  Set(owner, "update counter set n = n + 1");
  EXPECT_EQ(alice.Value("select n from invoker"), Counter()) << "it is made of the counter";
}

// Situation 9: who must be in the server's log says so at the login.
TEST_F(CacheIdentity, WhoMustBeAuditedIsNotServed) {
  const Connection audited = Client("alice", "postgres", "options='-c pgweir.cache=off'");
  const Connection other = Client("alice");
  Fill(other);
  EXPECT_EQ(audited.Value(kRead), Counter());
  EXPECT_FALSE(Repeats(audited, kRead));
}

// Situation 10.
TEST_F(CacheIdentity, TenantsOfOneRoleDoNotShareAnswers) {
  const Connection one = Client("alice"), other = Client("alice");
  Set(one, "set app.tenant = 'a'");
  Set(other, "set app.tenant = 'b'");
  const std::string filled = Fill(one);
  EXPECT_EQ(other.Value(kRead), Counter());
  Set(other, "set app.tenant = 'a'");
  EXPECT_EQ(other.Value(kRead), filled);
}

// Situation 11.
TEST_F(CacheIdentity, NamesMeanWhatTheSearchPathSays) {
  const Connection client = Client(), alice = Client("alice");
  const std::string_view read = "select place from here";
  for (int i = 0; i < 2; ++i) {
    Set(client, "set search_path to one");
    EXPECT_EQ(client.Value(read), "one");
    Set(client, "set search_path to two");
    EXPECT_EQ(client.Value(read), "two");
    Set(client, "set search_path to two, one");
    EXPECT_EQ(client.Value(read), "two");
    Set(client, "set search_path to pg_temp, one");
    EXPECT_EQ(client.Value(read), "one");
    EXPECT_EQ(alice.Value(read), "alice") << "\"$user\"";
  }
  Set(client, "reset search_path");
  EXPECT_EQ(Answer(client, read), "42P01");
  EXPECT_EQ(Client("postgres", "postgres", "options='-c search_path=one'").Value(read), "one");
}

// Situation 11, prepared before the path changed.
TEST_F(CacheIdentity, PreparedStatementsMeanWhatTheSearchPathSays) {
  const Connection client = Client();
  const auto read = [&] {
    return Result(PQexecPrepared(client.get(), "p", 0, nullptr, nullptr, nullptr, 0)).Value();
  };
  Set(client, "set search_path to one");
  ASSERT_TRUE(Result(PQprepare(client.get(), "p", "select place from here", 0, nullptr)).ok());
  EXPECT_EQ(read(), "one");
  EXPECT_EQ(read(), "one");
  Set(client, "set search_path to two");
  EXPECT_EQ(read(), "two");
  EXPECT_EQ(read(), "two");
}

// Situation 12.
TEST_F(CacheIdentity, TemporaryTablesAreNotMistakenForOthers) {
  const Connection client = Client(), other = Client();
  const std::string filled = Fill(client);
  for (const char* create :
       {"create temp table counter as select -1 as n", "select -1 as n into temp counter",
        "create temp view counter as select -1 as n"}) {
    Set(client, create);
    EXPECT_EQ(client.Value(kRead), "-1") << create;
    EXPECT_EQ(client.Value(kRead), "-1") << create;
    EXPECT_EQ(other.Value(kRead), Counter()) << create;
    Set(client, "discard temp");
    EXPECT_EQ(client.Value(kRead), Counter()) << create;
  }
  Set(client, "begin; create temp table counter on commit drop as select -1 as n");
  EXPECT_EQ(client.Value(kRead), "-1");
  Set(client, "commit");
  EXPECT_EQ(client.Value(kRead), Counter());
}

// Situation 13.
TEST_F(CacheIdentity, FunctionsMeanWhatTheSearchPathSays) {
  const Connection client = Client();
  const std::string_view read = "select f(n) from counter";
  for (int i = 0; i < 2; ++i) {
    Set(client, "set search_path to one, two, public");
    EXPECT_EQ(client.Value(read), "one");
    Set(client, "set search_path to two, one, public");
    EXPECT_EQ(client.Value(read), "two");
  }
  Set(client,
      "create schema zero; create function zero.f(int) returns text language sql immutable"
      " as $$select 'zero'$$; set search_path to zero, one, public");
  EXPECT_EQ(client.Value(read), "zero");
  Set(client, "drop schema zero cascade");
  EXPECT_EQ(client.Value(read), "one");
}

// Situation 14.
TEST_F(CacheIdentity, NothingIsReadBehindAChangeOfTheSchema) {
  const Connection client = Client(), other = Client("postgres", "twin");
  const std::string_view read = "select * from changing";
  const auto columns = [&] { return PQnfields(other.Exec(read).get()); };
  EXPECT_EQ(columns(), 1);
  EXPECT_EQ(columns(), 1);
  EXPECT_EQ(other.Value("select * from over_changing"), "0");
  Set(client, "alter table changing add column m int default 7");
  EXPECT_EQ(columns(), 2);
  Set(client, "create or replace view over_changing as select n + 1 as n from changing");
  EXPECT_EQ(other.Value("select * from over_changing"), "1");
  ASSERT_TRUE(WaitKnown());
  EXPECT_EQ(columns(), 2);
  Set(client, "alter table changing rename to changed");
  EXPECT_EQ(Answer(other, read), "42P01");
  EXPECT_EQ(other.Value("select * from over_changing"), "1");
  Set(client,
      "begin; drop view over_changing; alter table changed rename to changing;"
      "alter table changing drop column m; commit");
  EXPECT_EQ(columns(), 1);
  EXPECT_EQ(Answer(other, "select * from over_changing"), "42P01");
  Set(client, "create view over_changing as select n from changing");
}

// Situation 15.
TEST_F(CacheIdentity, DatabasesDoNotShareAnswers) {
  server().Query("create database elsewhere");
  server().Query(
      "create type mood as enum ('good'); create table moods (m mood, n int);"
      "insert into moods values ('good', 1); create table counter (n int);"
      "insert into counter values (-1)",
      "elsewhere");
  PgweirOptions options = Options(kRules);
  options.databases += DatabaseToml("elsewhere", server().port());
  const auto process = Start(options);
  ASSERT_TRUE(WaitKnown(*process));
  const Connection here(process->Conninfo()), there(process->Conninfo("postgres", "elsewhere"));
  for (int i = 0; i < 3; ++i) {
    const Result one = here.Exec("select m, n from moods"),
                 two = there.Exec("select m, n from moods");
    EXPECT_EQ(one.Value(0, 1), "0");
    EXPECT_EQ(two.Value(0, 1), "1");
    EXPECT_EQ(std::to_string(PQftype(one.get(), 0)), server().Query("select 'mood'::regtype::oid"));
    EXPECT_EQ(std::to_string(PQftype(two.get(), 0)),
              server().Query("select 'mood'::regtype::oid", "elsewhere"));
  }
}

// Situation 16: OIDs of before and after.
TEST_F(CacheIdentity, TypesThatWereMadeAnewAreDescribedAnew) {
  const Connection client = Client();
  const auto type = [&] {
    return std::to_string(PQftype(client.Exec("select m from moods").get(), 0));
  };
  type();
  type();
  Set(client,
      "drop table moods; drop type mood; create type mood as enum ('good');"
      "create table moods (m mood, n int); insert into moods values ('good', 0)");
  EXPECT_EQ(type(), server().Query("select 'mood'::regtype::oid"));
}

// Situation 16: a reload leads the database to another server.
TEST_F(CacheIdentity, AnotherServerAnswersItself) {
  PostgresServer second;
  second.Query("create table counter (n int); insert into counter values (-1)");
  PgweirOptions options = Options(kRules);
  const auto process = Start(options);
  ASSERT_TRUE(WaitKnown(*process));
  const Connection client(process->Conninfo());
  Fill(client);
  options.port = process->port();
  options.databases = DatabaseToml("postgres", second.port()) +
                      fmt::format("[cache]\nenabled = true\n{}\n", kRules);
  process->Rewrite(options);
  ASSERT_TRUE(process->Reload());
  EXPECT_EQ(Connection(process->Conninfo()).Value(kRead), "-1");
  EXPECT_EQ(Answer(client, kRead), "-1");
}

// Settings that change what an answer says, one by one.
TEST_F(CacheIdentity, SettingsThatChangeAnswersDivideThem) {
  const Connection client = Client(), direct(server().Conninfo());
  const std::string_view reads[] = {
      "select '2026-03-04 05:06:07+00'::timestamptz from counter",
      "select '1 day 2 hours'::interval, 0.1::float4 + 0.2::float4 from counter",
      "select '\\x41'::bytea from counter",
      "select 0.1::float8 + 0.2::float8 from counter",
      "select 12.5::money from counter",
      "select E'a\\\\b', 'a\\b' from counter",
      "select count(*) from counter where null = null",
      "select to_tsvector('running dogs') from counter",
  };
  const std::string_view settings[] = {
      "set timezone = 'Asia/Tokyo'",
      "set datestyle = 'German'",
      "set intervalstyle = 'iso_8601'",
      "set bytea_output = 'escape'",
      "set extra_float_digits = -5",
      "set lc_monetary = 'C'",
      "set escape_string_warning = off; set standard_conforming_strings = off",
      "set transform_null_equals = on",
      "set default_text_search_config = 'english'",
      "set application_name = 'x'",
  };
  const auto compare = [&](std::string_view under) {
    for (const std::string_view read : reads) {
      for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(Answer(client, read), Answer(direct, read)) << read << under;
      }
    }
  };
  compare("");
  for (const std::string_view setting : settings) {
    Set(client, setting);
    Set(direct, setting);
    compare(setting);
    Set(client, "reset all");
    Set(direct, "reset all");
  }
  compare("");
}

// What changes no answer divides none.
TEST_F(CacheIdentity, SettingsThatChangeNoAnswerDoNot) {
  const Connection client = Client(), other = Client();
  const std::string filled = Fill(client);
  for (const char* setting :
       {"set application_name = 'other'", "set statement_timeout = '9s'", "set work_mem = '5MB'",
        "set enable_seqscan = off", "set random_page_cost = 2"}) {
    Set(other, setting);
    EXPECT_EQ(other.Value(kRead), filled) << setting;
  }
}

// Encodings in which text can't be scanned are served by the server.
TEST_F(CacheIdentity, EncodingsDivideAnswers) {
  const Connection client = Client();
  const std::string_view read = "select chr(233), n from counter";
  EXPECT_EQ(client.Value(read), "\xC3\xA9");
  Set(client, "set client_encoding = 'LATIN1'");
  EXPECT_EQ(client.Value(read), "\xE9");
  EXPECT_EQ(client.Value(read), "\xE9");
  Set(client, "set client_encoding = 'SJIS'");
  EXPECT_FALSE(Repeats(client, kRead));
}

}  // namespace
}  // namespace pgweir::test
