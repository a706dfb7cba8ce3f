// The query cache: what a statement reads and does. Of the situations in which a cached answer
// would be wrong, 18 to 30, and 17's views.

#include <chrono>
#include <thread>

#include "fmt/format.h"
#include "tests/support/cached_test.h"

namespace pgweir::test {
namespace {

constexpr std::string_view kRules = R"(
[[cache.rules]]
tables = ["ticks"]
allow_stable = true
ttl = "60s"
[[cache.rules]]
pattern = "."
ttl = "60s"
)";

constexpr std::string_view kSchema = R"(
create table ticks (n int, at timestamptz default now()); insert into ticks values (0);
create table log (n int); create sequence s;
create table events (at timestamp, zoned timestamptz); insert into events values (now(), now());
create view by_day as select date_trunc('day', at) as day from events;
create view by_zoned_day as select date_trunc('day', zoned) as day from events;
create function told(timestamp) returns int language sql immutable as $$select 1$$;
create function told(timestamptz) returns int language sql volatile as $$select 1$$;
create function writes() returns int language sql volatile
  as $$insert into log values (1) returning n$$;
create function looks() returns int language sql stable as $$select n from counter$$;
create function plus(int, int) returns int language sql volatile as $$select $1 + $2$$;
create view drawing as select random(), n from counter;
create view over_drawing as select n from drawing;
create view timely as select now() as at, n from counter;
create view hidden_call as select looks() as x, n from counter;
create view connection as select pg_backend_pid() as pid, n from counter;
create materialized view stored as select n from counter;
create unlogged table unlogged_counter (n int); insert into unlogged_counter values (0);
create extension file_fdw; create server files foreign data wrapper file_fdw;
create foreign table far (line text) server files options (filename '/dev/null');
create table over_far (line text); alter foreign table far inherit over_far;
)";

class CacheStatements : public CachedTest {
 protected:
  static void SetUpTestSuite() { Begin(kSchema, kRules); }

  // No answer of these comes from the cache.
  static void NoneRepeats(std::initializer_list<std::string_view> statements) {
    const Connection client = Client();
    for (const std::string_view sql : statements) {
      EXPECT_FALSE(Repeats(client, sql)) << sql;
    }
  }
  static void AllRepeat(std::initializer_list<std::string_view> statements) {
    const Connection client = Client();
    for (const std::string_view sql : statements) {
      EXPECT_TRUE(Repeats(client, sql)) << sql;
    }
  }
};

TEST_F(CacheStatements, PlainReadsAreCached) {
  AllRepeat({"select n from counter", "table counter", "values ((select n from counter))",
             "select a.n, b.n from counter a join counter b using (n) where a.n >= 0",
             "with x as (select n from counter) select * from x union all select 1",
             "select n, lower('A'), abs(-1), n::text || 'x' from counter",
             "select n, count(*) over () from counter order by n desc limit 10",
             "select n from counter -- a comment", "/* another */ select n from counter;"});
}

// Situation 18.
TEST_F(CacheStatements, VolatileFunctionsAreNotCached) {
  NoneRepeats(
      {"select random(), n from counter", "select nextval('s'), n from counter",
       "select pg_notify('x', 'y'), n from counter",
       "select pg_advisory_xact_lock(1), n from counter", "select txid_current(), n from counter",
       "select pg_current_xact_id(), n from counter", "select pg_sleep(0), n from counter",
       "select setval('s', 1), n from counter", "select lo_creat(1), n from counter",
       "select gen_random_uuid(), n from counter", "select clock_timestamp(), n from counter",
       "select writes(), n from counter", "select n from counter where plus(n, 1) > 0"});
}

// Situation 18: in its session, which they belong to.
TEST_F(CacheStatements, WhatASessionDrewIsNotCached) {
  const Connection client = Client();
  client.Exec("begin; select nextval('s'); commit");
  client.Value("select nextval('s')");
  client.Exec("select lastval(), n from counter");
  client.Exec("select currval('s'), n from counter");
  client.Value("select nextval('s')");
  const std::string value = client.Value("select lastval() from counter");
  client.Value("select nextval('s')");
  EXPECT_NE(client.Value("select lastval() from counter"), value);
}

// Situation 19.
TEST_F(CacheStatements, StableFunctionsAreCachedByARuleOnly) {
  NoneRepeats({"select now(), n from counter", "select current_setting('timezone'), n from counter",
               "select to_char(now(), 'YYYY'), n from counter", "select looks(), n from counter",
               "select n, age('2020-01-01'::timestamptz) from counter",
               "select n from counter where now() > '2020-01-01'", "select * from timely",
               "select * from hidden_call"});
  const Connection client = Client();
  const auto read = [&] { return client.Value("select now() from ticks"); };
  const std::string first = read();
  EXPECT_EQ(read(), first);
  client.Exec("update ticks set n = n + 1");
  EXPECT_NE(read(), first);
}

// Situation 19: of functions with one name the one that is called counts.
TEST_F(CacheStatements, TheArgumentsTypesTellWhichFunctionIsCalled) {
  AllRepeat({"select n, date_trunc('day', at) from counter, events",
             "select n, extract(year from e.at) from counter cross join events e",
             "select n, date_trunc('day', zoned at time zone 'UTC') from counter, events",
             "select n, told(at) from counter, events", "select n, day from counter, by_day"});
  NoneRepeats({"select n, date_trunc('day', zoned) from counter, events",
               "select n, extract(year from e.zoned) from counter cross join events e",
               "select n, date_trunc('day', at + '1 day') from counter, events",
               "select n, told(zoned) from counter, events",
               "select n, day from counter, by_zoned_day"});
  const Connection client = Client();
  EXPECT_TRUE(Repeats([&] {
    return client
        .ExecParams("select n from counter, events where date_trunc($1, at) < $2",
                    {"day", "2999-01-01"})
        .Value();
  }));
  const auto explained = [](std::string_view column) {
    std::string text;
    const Result rows = Console(fmt::format(
        "explain cache database postgres 'select date_trunc($$day$$, {}) from events'", column));
    for (int i = 0; i < rows.rows(); ++i) text += rows.Value(i) + '\n';
    return text;
  };
  EXPECT_NE(explained("at").find("cached: yes"), std::string::npos) << explained("at");
  const std::string why = "asks for the time or calls a stable function (allow_stable)";
  EXPECT_NE(explained("zoned").find(why), std::string::npos) << explained("zoned");
}

// Situation 20: behind views, operators, casts, in literals and parameters.
TEST_F(CacheStatements, HiddenVolatilityIsFound) {
  NoneRepeats({"select * from drawing", "select * from over_drawing",
               "select 'now'::timestamptz, n from counter",
               "select timestamp 'TODAY', n from counter",
               "select n from counter where '2020-01-01'::date < 'yesterday'",
               "select cast(' tomorrow ' as date), n from counter",
               "select E'n\\x6fw'::timestamptz, n from counter",
               "select U&'n\\006fw'::timestamptz, n from counter",
               "select 'no'\n'w'::timestamptz, n from counter",
               "select 'now                                                                     "
               "    '::timestamptz, n from counter",
               "select $$now$$::timestamptz, n from counter"});
  const Connection client = Client();
  EXPECT_FALSE(Repeats([&] {
    return client.ExecParams("select n from counter where $1::timestamptz > '2020-01-01'", {"now"})
        .Value();
  }));
  EXPECT_TRUE(Repeats([&] {
    return client
        .ExecParams("select n from counter where $1::timestamptz > '2020-01-01'", {"2021-01-01"})
        .Value();
  }));
}

// Situation 20: an operator outside the system's schema calls a volatile function.
TEST_F(CacheStatements, VolatileOperatorsMakeTheirDatabaseUncached) {
  server().Query("create database hidden");
  server().Query("create table counter (n int); insert into counter values (0);", "hidden");
  PgweirOptions options = Options(kRules);
  options.databases += DatabaseToml("hidden", server().port());
  const auto process = Start(options);
  ASSERT_TRUE(WaitKnown(*process));
  const Connection client(process->Conninfo("postgres", "hidden"));
  client.Exec(
      "create function v(int, int) returns bool language sql volatile as 'select true';"
      "create operator === (leftarg = int, rightarg = int, function = v)");
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  for (const char* sql : {"select n from counter where n === 1", "select n from counter"}) {
    const std::string first = client.Value(sql);
    server().Query("update counter set n = n + 1", "hidden");
    EXPECT_NE(client.Value(sql), first) << sql;
  }
}

// Situation 21.
TEST_F(CacheStatements, QuestionsAboutTheMomentAndTheConnectionAreNotCached) {
  NoneRepeats(
      {"select current_date, n from counter", "select current_timestamp, n from counter",
       "select current_time, n from counter", "select localtimestamp, n from counter",
       "select localtime(0), n from counter", "select inet_client_addr(), n from counter",
       "select inet_client_port(), n from counter", "select inet_server_port(), n from counter",
       "select pg_backend_pid(), n from counter", "select * from connection",
       "select pg_postmaster_start_time(), n from counter", "select version(), n from counter",
       "select txid_current_if_assigned(), n from counter",
       "select pg_current_snapshot(), n from counter"});
  AllRepeat({"select current_user, session_user, n from counter"});
  const Connection one = Client("postgres", "postgres"), two = Client("postgres", "postgres");
  EXPECT_NE(one.Value("select inet_client_port() from counter"), "");
}

// Situation 22.
TEST_F(CacheStatements, LocksAreNotCached) {
  NoneRepeats({"select n from counter for update", "select n from counter for share",
               "select n from counter for no key update", "select n from counter for key share",
               "select n from counter for update skip locked",
               "select n from (select n from counter for update nowait) x"});
  // And are taken.
  const Connection client = Client(), other = Client();
  client.Value("select n from counter for update");
  client.Exec("begin");
  client.Value("select n from counter for update");
  EXPECT_EQ(other.Exec("select n from counter for update nowait").sqlstate(), "55P03");
  client.Exec("commit");
}

// Situation 23.
TEST_F(CacheStatements, ReadsThatWriteAreNotCached) {
  NoneRepeats({"with x as (insert into log select n from counter returning n) select * from x",
               "with x as (update counter set n = n + 1 returning n) select n from x",
               "with x as (delete from log returning n) select counter.n from counter",
               "select writes(), n from counter"});
  const Connection client = Client();
  // Its times may be the same twice.
  const int64_t hits = Shown("hits");
  for (int i = 0; i < 3; ++i) client.Value("explain analyze select n, random() from counter");
  EXPECT_EQ(Shown("hits"), hits);
  const auto read = [&] { return client.Value("select n from counter"); };
  const auto outdates = [&](std::string_view sql) {
    return Outdates([&] { EXPECT_TRUE(client.Exec(sql).ok()) << sql; }, read);
  };
  EXPECT_TRUE(outdates("with x as (update counter set n = n + 1) select 1"));
  EXPECT_TRUE(outdates("select writes()"));
  EXPECT_TRUE(outdates("explain analyze update counter set n = n + 1"));
  EXPECT_TRUE(outdates("select n into copied from counter"));
  ASSERT_TRUE(WaitKnown());
  EXPECT_TRUE(outdates("drop table copied"));
}

// Situation 24: a sample is another each time; of rows without an order any may be given.
TEST_F(CacheStatements, SamplesAreNotCached) {
  NoneRepeats({"select n from counter tablesample system (100)",
               "select n from counter tablesample bernoulli (100)",
               "select n from (select n from counter tablesample system (100)) x"});
  AllRepeat({"select n from counter limit 1"});
}

// Situation 25.
TEST_F(CacheStatements, CatalogsAreNotCached) {
  NoneRepeats({"select c.n, relname from counter c, pg_class limit 1",
               "select c.n, pid from counter c, pg_stat_activity limit 1",
               "select c.n, table_name from counter c, information_schema.tables limit 1",
               "select c.n, relid from counter c, pg_catalog.pg_stat_user_tables limit 1",
               "select n, pg_relation_size('counter') from counter",
               "select n, pg_get_viewdef('drawing') from counter"});
  const Connection client = Client();
  EXPECT_EQ(client.Value("show work_mem"), "4MB");
  client.Exec("set work_mem = '5MB'");
  EXPECT_EQ(client.Value("show work_mem"), "5MB");
}

// Situation 26.
TEST_F(CacheStatements, CursorsAreNotCached) {
  const Connection client = Client();
  client.Exec("begin; declare c cursor for select generate_series(1, 3), n from counter");
  EXPECT_EQ(client.Value("fetch c"), "1");
  EXPECT_EQ(client.Value("fetch c"), "2");
  client.Exec("close c; commit");
  client.Exec("declare held cursor with hold for select generate_series(1, 3), n from counter");
  EXPECT_EQ(client.Value("fetch held"), "1");
  EXPECT_EQ(client.Value("fetch held"), "2");
  EXPECT_TRUE(client.Exec("move held").ok());
  EXPECT_EQ(client.Exec("fetch held").rows(), 0);
  client.Exec("close held");
}

// Situation 27.
TEST_F(CacheStatements, UtilitiesAreNotCached) {
  const Connection client = Client(), other = Client();
  EXPECT_TRUE(client.Exec("prepare p as select n from counter").ok());
  EXPECT_FALSE(Repeats(client, "execute p"));
  EXPECT_TRUE(client.Exec("deallocate p").ok());
  const auto read = [&] { return other.Value("select n from counter"); };
  client.Exec("prepare w as update counter set n = n + 1");
  EXPECT_TRUE(Outdates([&] { client.Exec("execute w"); }, read));
  client.Exec("deallocate w");
  EXPECT_TRUE(
      Outdates([&] { client.Exec("do $$ begin update counter set n = n + 1; end $$"); }, read));
  ASSERT_TRUE(WaitKnown());
  client.Exec("create procedure p() language sql as 'update counter set n = n + 1'");
  ASSERT_TRUE(WaitKnown());
  EXPECT_TRUE(Outdates([&] { client.Exec("call p()"); }, read));
  ASSERT_TRUE(WaitKnown());
  client.Exec("drop procedure p");
}

// Situation 27: COPY gives what there is.
TEST_F(CacheStatements, CopiesAreNotCached) {
  const Connection client = Client();
  EXPECT_FALSE(Repeats([&] {
    const Result begun = client.Exec("copy counter to stdout");
    char* line = nullptr;
    std::string text;
    for (int size = 0; (size = PQgetCopyData(client.get(), &line, 0)) > 0; PQfreemem(line)) {
      text.append(line, static_cast<size_t>(size));
    }
    while (client.Next().has_value()) continue;
    return text;
  }));
}

// Situation 28.
TEST_F(CacheStatements, SeveralStatementsAtOnceAreNotCached) {
  NoneRepeats({"select 1; select n from counter", "select n from counter; select n from counter"});
  AllRepeat({";select n from counter", "select n from counter;;"});
  const Connection client = Client();
  client.Exec("select 1; set role alice");
  EXPECT_EQ(client.Value("select current_user from counter"), "alice");
  client.Exec("reset role; select 1");
  EXPECT_EQ(client.Value("select current_user from counter"), "postgres");
}

// Situations 17 and 29: what can't be seen to change isn't cached; the rest is outdated by writes.
TEST_F(CacheStatements, OnlyTablesWhoseWritesAreSeenAreCached) {
  NoneRepeats({"select c.n, line from counter c left join far on true",
               "select c.n, line from counter c left join over_far on true",
               "select c.n, last_value from counter c, s"});
  const Connection client = Client();
  const auto outdates = [&](std::string_view read, std::string_view write) {
    const auto value = [&] { return client.Value(read); };
    const std::string first = value();
    EXPECT_EQ(value(), first);
    EXPECT_TRUE(client.Exec(write).ok()) << write;
    return value() != first;
  };
  EXPECT_TRUE(outdates("select n from unlogged_counter", "update unlogged_counter set n = n + 1"));
  Count();
  EXPECT_TRUE(outdates("select n from stored", "refresh materialized view stored"));
}

// Situation 30: what the server itself refuses, too.
TEST_F(CacheStatements, TextThatIsNotUnderstoodOutdatesAll) {
  const Connection client = Client(), other = Client();
  EXPECT_TRUE(Outdates([&] { EXPECT_EQ(client.Exec("selekt 1").sqlstate(), "42601"); },
                       [&] { return other.Value("select n from counter"); }));
}

// What is longer than anybody looks into may be anything.
TEST_F(CacheStatements, VeryLongStatements) {
  const Connection client = Client();
  const std::string longer(200'000, ' ');
  const auto read = [&] { return client.Value("select n from counter"); };
  EXPECT_TRUE(Outdates(
      [&] { EXPECT_TRUE(client.Exec("update counter set n = n + 1 " + longer).ok()); }, read));
  ASSERT_TRUE(WaitKnown());
  EXPECT_TRUE(Outdates(
      [&] {
        EXPECT_TRUE(
            client.ExecParams("update counter set n = n + length($1)", {std::string(300'000, 'x')})
                .ok());
      },
      read));
  const std::string value = client.Value("select n " + longer + " from counter");
  Count();
  client.Value("select n " + longer + " from counter");
}

// Why: each is counted, and shown.
TEST_F(CacheStatements, RefusalsAreCountedAndShown) {
  const Connection client = Client();
  const auto bypasses = [&] { return Console("show cache_rules").Value(1, 7); };
  client.Value("select random() from counter");
  client.Value("select now() from counter");
  client.Exec("select n from counter tablesample system (100)");
  client.Value("select inet_client_port() from counter");
  for (const char* why : {"not surely a read: ", "asks for the time or calls a stable function",
                          "samples: ", "asks about its connection: "}) {
    EXPECT_NE(bypasses().find(why), std::string::npos) << why << " in " << bypasses();
  }
}

}  // namespace
}  // namespace pgweir::test
