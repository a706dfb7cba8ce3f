// The query cache: what a write outdates, and what it leaves. Every kind of write, by every way
// through pgweir; of the situations in which a cached answer would be wrong, 15 and 17.

#include <set>
#include <thread>

#include "fmt/format.h"
#include "tests/support/cached_test.h"
#include "tests/support/four_shards.h"
#include "tests/support/turns.h"
#include "tests/support/wait_until.h"

namespace pgweir::test {
namespace {

constexpr std::string_view kSchema = R"(
create table t (id int primary key, n int); insert into t values (1, 0);
create table unrelated (n int); insert into unrelated values (0);
create view v as select id, n from t;
create view over_v as select n from v;
create view joined as select t.n from t join unrelated u on true;

create table parent (id int primary key);
create table cascading (id int references parent on delete cascade on update cascade, n int);
create table nulling (id int references parent on delete set null, n int);
create table grandchild (id int, n int);
create table middle (id int primary key references parent on delete cascade);
create table last (id int references middle on delete cascade, n int);

create table seen (n int); insert into seen values (0);
create table triggering (n int); insert into triggering values (0);
create function note() returns trigger language plpgsql
  as $$ begin update seen set n = n + 1; return new; end $$;
create trigger noting after update on triggering for each row execute function note();
create table ruled (n int); insert into ruled values (0);
create rule also as on update to ruled do also update seen set n = n + 1;

create table split (k int, n int) partition by range (k);
create table split_low partition of split for values from (0) to (10);
create table split_high partition of split for values from (10) to (20);
insert into split values (1, 0), (11, 0);
create table ancestor (n int); create table heir () inherits (ancestor);
insert into heir values (0);
create procedure change() language sql as 'update t set n = n + 1';
create function changes() returns int language sql volatile as 'update t set n = n + 1 returning n';
create materialized view stored as select n from t;
)";

class CacheWrites : public CachedTest {
 protected:
  static void SetUpTestSuite() { Begin(kSchema); }
  void SetUp() override {
    CachedTest::SetUp();
    client_ = std::make_unique<Connection>(pgweir().Conninfo());
  }

  void Do(std::string_view sql) const {
    const Result result = client_->Exec(sql);
    EXPECT_TRUE(result.ok()) << sql << ": " << result.message();
  }
  std::string Sum(std::string_view from) const {
    return client_->Value(fmt::format("select sum(n) from {}", from));
  }
  // Whether the write, through pgweir, outdates what was read of the table, which is changed behind
  // pgweir's back before that.
  bool Outdates(const std::function<void()>& write, std::string_view table) const {
    const std::string first = Sum(table);
    Behind(fmt::format("insert into {} ({}n) values ({}1000)", Base(table),
                       Base(table) == "t"       ? "id, "
                       : Base(table) == "split" ? "k, "
                                                : "",
                       Base(table) == "t"       ? "(select max(id) + 1 from t), "
                       : Base(table) == "split" ? "5, "
                                                : ""));
    EXPECT_EQ(Sum(table), first) << table << " wasn't cached";
    write();
    return Sum(table) != first;
  }
  bool Outdates(std::string_view sql, std::string_view table) const {
    return Outdates([&] { Do(sql); }, table);
  }
  static std::string_view Base(std::string_view table) {
    if (table == "v" || table == "over_v" || table == "joined") return "t";
    if (table == "ancestor") return "heir";
    return table.starts_with("split") ? "split" : table;
  }

  std::unique_ptr<Connection> client_;
};

TEST_F(CacheWrites, OfOneTableLeaveTheOthers) {
  for (const char* sql :
       {"update t set n = n + 1", "insert into t values ((select max(id) + 1 from t), 1)",
        "delete from t where id < 0", "insert into t select max(id) + 1, 1 from t",
        "insert into t values (1, 1) on conflict (id) do update set n = excluded.n",
        "insert into t values (1, 1) on conflict do nothing",
        "merge into t using (values (1)) s(id) on t.id = s.id when matched then update set n = 5",
        "with x as (update t set n = n + 1 returning n) select * from x",
        "with x as (delete from t where id < 0 returning n) insert into t select 0 - n, n from x",
        "update t set n = t.n + u.n from unrelated u", "update only t set n = 3",
        "explain analyze update t set n = n + 1"}) {
    EXPECT_TRUE(Outdates(sql, "t")) << sql;
    EXPECT_FALSE(Outdates(sql, "unrelated")) << sql;
  }
  for (const char* sql :
       {"select 1", "select n from t", "select n from t for update", "set work_mem = '5MB'",
        "show work_mem", "explain update t set n = n + 1", "begin; commit",
        "begin; select 1; rollback", "lock table t", "discard plans",
        "prepare p as update t set n = 1", "deallocate p", "listen x; unlisten x"}) {
    EXPECT_FALSE(
        Outdates(sql[0] == 'l' && sql[1] == 'o' ? "begin; lock table t; commit" : sql, "t"))
        << sql;
  }
}

TEST_F(CacheWrites, ThatFailOrAreRolledBackChangeNothingForOthers) {
  const std::string before = Sum("t");
  Do("begin; update t set n = n + 1; rollback");
  EXPECT_EQ(Sum("t"), before);
  EXPECT_FALSE(client_->Exec("update t set n = 1/0").ok());
  EXPECT_EQ(Sum("t"), before);
}

// Situation 17.
TEST_F(CacheWrites, OutdateTheViewsOfTheirTables) {
  for (const char* view : {"v", "over_v", "joined"}) {
    EXPECT_TRUE(Outdates("update t set n = n + 1", view)) << view;
  }
  EXPECT_TRUE(Outdates("update unrelated set n = n + 1", "joined"));
  EXPECT_TRUE(Outdates("update v set n = n + 1", "t")) << "by the view";
  EXPECT_TRUE(Outdates("insert into v values ((select max(id) + 1 from t), 1)", "over_v"));
  EXPECT_TRUE(Outdates("delete from v where id < 0", "t"));
  EXPECT_FALSE(Outdates("update v set n = n + 1", "unrelated"));
}

// Situation 17.
TEST_F(CacheWrites, OutdatePartitionsAndChildrenBothWays) {
  EXPECT_TRUE(Outdates("update split set n = n + 1", "split_low"));
  EXPECT_TRUE(Outdates("update split_low set n = n + 1", "split"));
  EXPECT_TRUE(Outdates("insert into split values (3, 1)", "split_low"));
  EXPECT_TRUE(Outdates("insert into split_low values (3, 1)", "split"));
  EXPECT_TRUE(Outdates("truncate split_low", "split"));
  EXPECT_TRUE(Outdates("update heir set n = n + 1", "ancestor"));
  EXPECT_TRUE(Outdates("update ancestor set n = n + 1", "heir"));
  EXPECT_TRUE(Outdates("delete from ancestor where n < 0", "heir"));
}

TEST_F(CacheWrites, OutdateWhatForeignKeysChangeWithThem) {
  Behind(
      "insert into parent values (1), (2), (3); insert into cascading values (1, 1), (2, 1);"
      "insert into nulling values (1, 1); insert into middle values (1); insert into last values "
      "(1, 1)");
  const auto count = [&](std::string_view table) {
    return client_->Value(fmt::format("select count(id) from {}", table));
  };
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(count("cascading"), "2");
    EXPECT_EQ(count("nulling"), "1");
    EXPECT_EQ(count("last"), "1");
  }
  Do("delete from parent where id = 1");
  EXPECT_EQ(count("cascading"), "1");
  EXPECT_EQ(count("nulling"), "0");
  EXPECT_EQ(count("last"), "0");
  const auto id = [&] { return client_->Value("select max(id) from cascading"); };
  EXPECT_EQ(id(), "2");
  Do("update parent set id = 9 where id = 2");
  EXPECT_EQ(id(), "9");
  Do("truncate parent cascade");
  EXPECT_EQ(count("cascading"), "0");
}

TEST_F(CacheWrites, OutdateWhatTriggersAndRulesChangeWithThem) {
  EXPECT_TRUE(Outdates("update triggering set n = n + 1", "seen"));
  EXPECT_TRUE(Outdates("update triggering set n = n + 1", "unrelated")) << "it may be anything";
  EXPECT_TRUE(Outdates("update ruled set n = n + 1", "seen"));
}

TEST_F(CacheWrites, ThatNobodyCanLookIntoOutdateAll) {
  for (const char* sql :
       {"call change()", "do $$ begin update t set n = n + 1; end $$", "select changes()",
        "values (changes())", "select n from unrelated where changes() > 0",

        "refresh materialized view stored", "select query_to_xml('select 1', true, true, '')"}) {
    ASSERT_TRUE(WaitKnown()) << sql;
    EXPECT_TRUE(Outdates(sql, "unrelated")) << sql;
  }
}

TEST_F(CacheWrites, BySchemaChangesOutdateAll) {
  for (const char* sql :
       {"truncate t; insert into t values (1, 0)", "create table made as select n from t",
        "drop table made", "alter table t add column extra int", "alter table t drop column extra",
        "alter table t rename to s; alter table s rename to t"}) {
    ASSERT_TRUE(WaitKnown()) << sql;
    EXPECT_TRUE(Outdates(sql, "t")) << sql;
  }
}

TEST_F(CacheWrites, ByCopyOutdate) {
  const auto copy = [&] {
    const Result begun = client_->Exec("copy unrelated from stdin");
    EXPECT_EQ(begun.status(), PGRES_COPY_IN);
    EXPECT_EQ(PQputCopyData(client_->get(), "1\n2\n", 4), 1);
    EXPECT_EQ(PQputCopyEnd(client_->get(), nullptr), 1);
    while (client_->Next().has_value()) continue;
  };
  EXPECT_TRUE(Outdates(copy, "unrelated"));
  EXPECT_FALSE(Outdates(copy, "t"));
}

TEST_F(CacheWrites, ByEveryProtocolOutdate) {
  RawClient raw = RawClient::Login(port());
  const std::string update = "update t set n = n + 1";
  EXPECT_TRUE(Outdates([&] { Batch(raw, fe::Extended(update)); }, "t"));
  Batch(raw, fe::Parse("w", update) + fe::Parse("p", "update t set n = $1", {23}));
  EXPECT_TRUE(Outdates([&] { Batch(raw, fe::Bind("", "w") + fe::Execute("")); }, "t"));
  EXPECT_TRUE(Outdates([&] { Batch(raw, fe::Bind("", "p", {"4"}) + fe::Execute("")); }, "t"));
  // By the portal of an earlier message; with a limit; several in one pipeline.
  EXPECT_TRUE(Outdates(
      [&] {
        raw.Send(fe::Query("begin") + fe::Bind("x", "w") + fe::Flush());
        raw.ReadUntil('2');
        raw.Send(fe::Execute("x", 1) + fe::Sync());
        raw.ReadUntilReady();
        raw.Query("commit");
      },
      "t"));
  EXPECT_TRUE(Outdates(
      [&] {
        Batch(raw, fe::Extended("select 1") + fe::Extended(update) + fe::Extended("select 2"));
      },
      "t"));
  EXPECT_TRUE(Outdates(
      [&] {
        Batch(raw, fe::Parse("", "update t set n = n + 1 returning n") + fe::Bind("", "") +
                       fe::Execute("", 1));
      },
      "t"));
  EXPECT_TRUE(Outdates([&] { raw.Query("select 1; update t set n = n + 1; select 2"); }, "t"));
  EXPECT_TRUE(Outdates(
      [&] {
        raw.SendSlowly(fe::Query(update));
        raw.ReadUntilReady();
      },
      "t"));
}

TEST_F(CacheWrites, InTransactionsOutdateAtTheirEnd) {
  const Connection writer = Client();
  const auto run = [&](std::string_view sql) { EXPECT_TRUE(writer.Exec(sql).ok()) << sql; };
  EXPECT_TRUE(Outdates(
      [&] {
        run("begin");
        run("update t set n = n + 1");
        run("savepoint s");
        run("update unrelated set n = n + 1");
        run("rollback to s");
        run("release s");
        run("commit");
      },
      "t"));
  EXPECT_TRUE(Outdates(
      [&] {
        run("begin");
        run("update t set n = n + 1");
        run("commit and chain");
        run("rollback");
      },
      "t"));
  EXPECT_TRUE(Outdates(
      [&] {
        run("begin");
        run("update t set n = n + 1");
        run("end; select 1");
      },
      "t"));
}

TEST_F(CacheWrites, OfOtherEntriesForTheSameDatabaseOutdate) {
  const Connection twin = Client("postgres", "twin"), alice = Client("postgres", "twin");
  ASSERT_TRUE(WaitKnown(pgweir(), "twin"));
  const auto run = [&](std::string_view sql) { EXPECT_TRUE(twin.Exec(sql).ok()) << sql; };
  EXPECT_TRUE(Outdates([&] { run("update t set n = n + 1"); }, "t"));
  EXPECT_FALSE(Outdates([&] { run("update unrelated set n = n + 1"); }, "t"));
}

// Of clients that keep their backend: in session mode, pinned, of another user.
TEST_F(CacheWrites, OfSessionsThatAreNotCachedOutdateAllTheSame) {
  PgweirOptions options = Options();
  options.databases += DatabaseToml("sessions", server().port(), "dbname=postgres",
                                    "[databases.sessions.pool]\nmode = \"session\"");
  const auto process = Start(options);
  ASSERT_TRUE(WaitKnown(*process));
  const Connection reader(process->Conninfo());
  const auto outdates = [&](const Connection& writer, std::string_view sql) {
    EXPECT_TRUE(WaitKnown(*process));
    const auto read = [&] { return reader.Value("select n from counter"); };
    return CachedTest::Outdates(
        [&] {
          const Result done = writer.Exec(sql);
          EXPECT_TRUE(done.ok()) << done.message();
        },
        read);
  };
  const std::string_view update = "update counter set n = n + 1";
  const Connection session(process->Conninfo("postgres", "sessions"));
  EXPECT_TRUE(outdates(session, update));
  EXPECT_TRUE(outdates(session, "begin; update counter set n = n + 1; commit"));
  const Connection pinned(process->Conninfo());
  pinned.Exec("create temp table mine (n int)");
  EXPECT_TRUE(outdates(pinned, update));
  EXPECT_TRUE(outdates(pinned, "insert into mine select n from counter; update counter set n = 1"));
  const Connection listening(process->Conninfo());
  listening.Exec("listen x");
  EXPECT_TRUE(outdates(listening, update));
  const Connection off(process->Conninfo() + " options='-c pgweir.cache=off'");
  EXPECT_TRUE(outdates(off, update));
}

// What can't be known of one database isn't of another.
TEST_F(CacheWrites, OfOtherDatabasesLeaveAll) {
  server().Query("create database elsewhere");
  server().Query("create table counter (n int)", "elsewhere");
  PgweirOptions options = Options();
  options.databases += DatabaseToml("elsewhere", server().port());
  const auto process = Start(options);
  ASSERT_TRUE(WaitKnown(*process));
  const Connection reader(process->Conninfo()), writer(process->Conninfo("postgres", "elsewhere"));
  const auto read = [&] { return reader.Value("select n from counter"); };
  const std::string first = read();
  Count();
  EXPECT_TRUE(writer.Exec("do $$ begin end $$; update counter set n = 1").ok());
  EXPECT_EQ(read(), first);
}

// Of a sharded database.
class CacheShards : public FourShards {
 protected:
  void SetUp() override {
    FourShards::SetUp();
    for (const auto& [node, symbol] : kSymbols) {
      At(node, fmt::format("insert into trades values (1, '{}', 0)", symbol));
    }
    Start("");
  }
  void Start(std::string_view cache) {
    client_.reset();
    process_.reset();
    PgweirOptions options = Options();
    options.databases += fmt::format(
        "[cache]\nenabled = true\n{}\n[[cache.rules]]\npattern = \".\"\nttl = \"60s\"\n", cache);
    options.files = {{"shards.toml", Map()}};
    process_ = std::make_unique<PgweirProcess>(options);
    client_ = std::make_unique<Connection>(process_->Conninfo("postgres", "market"));
    const auto known = [&] {
      for (const auto& [node, symbol] : kSymbols) {
        if (!Cached([&, name = symbol] { return Price(name); })) return false;
      }
      return Cached([&] { return All(); });
    };
    for (int i = 0; i < 100 && !known(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ASSERT_TRUE(known());
  }
  void TearDown() override {
    EXPECT_TRUE(process_->Running());
    if (HasFailure()) process_->ShowLog();
    client_.reset();
    process_.reset();
  }

  // Past pgweir, on all nodes.
  static void Rise() {
    for (const std::string& node : Nodes()) At(node, "update trades set price = price + 1");
  }
  static bool Cached(const std::function<std::string()>& read) {
    const std::string first = read();
    Rise();
    return read() == first;
  }
  std::string Price(std::string_view symbol) const {
    return client_->Value(
        fmt::format("select price from trades where symbol = '{}' order by id limit 1", symbol));
  }
  std::string All() const {
    std::string all;
    const Result rows = client_->Exec("select symbol, price from trades");
    for (int i = 0; i < rows.rows(); ++i) all += rows.Value(i, 0) + rows.Value(i, 1) + ' ';
    return all;
  }
  // Whether the write outdates what is read.
  bool Outdates(std::string_view sql, const std::function<std::string()>& read) const {
    const std::string first = read();
    Rise();
    EXPECT_EQ(read(), first) << "not cached";
    const Result done = client_->Exec(sql);
    EXPECT_TRUE(done.ok()) << done.message();
    return read() != first;
  }
  bool Outdates(std::string_view sql, std::string_view symbol) const {
    return Outdates(sql, [&] { return Price(symbol); });
  }

  static constexpr std::pair<const char*, const char*> kSymbols[] = {
      {"btc", "BTCUSDT"}, {"btc", "BTCEUR"}, {"eth", "ETHUSDT"}, {"rest", "SOLUSDT"}};
  std::unique_ptr<PgweirProcess> process_;
  std::unique_ptr<Connection> client_;
};

TEST_F(CacheShards, WritesOfOneSymbolLeaveTheOthers) {
  const char* const writes[] = {
      "update trades set price = price + 1 where symbol = 'BTCUSDT'",
      "insert into trades values ((random() * 1e9)::bigint, 'BTCUSDT', 1)",
      "delete from trades where symbol = 'BTCUSDT' and id < 0",
      "insert into trades select 7, 'BTCUSDT', 1 on conflict do nothing",
      "begin; update trades set price = 1 where symbol = 'BTCUSDT'; commit",
  };
  for (const char* sql : writes) {
    EXPECT_TRUE(Outdates(sql, "BTCUSDT")) << sql;
    EXPECT_FALSE(Outdates(sql, "BTCEUR")) << sql << ": of the same node";
    EXPECT_FALSE(Outdates(sql, "ETHUSDT")) << sql;
    EXPECT_FALSE(Outdates(sql, "SOLUSDT")) << sql;
  }
}

TEST_F(CacheShards, WritesWithoutASymbolOutdateAllOfTheirTable) {
  const char* const writes[] = {
      "update trades set price = price + 1 where symbol like 'BTC%'",
      "update trades set price = price + 1 where symbol in ('BTCUSDT', 'BTCEUR', 'BTCX')",
  };
  for (const char* sql : writes) EXPECT_TRUE(Outdates(sql, "BTCUSDT")) << sql;
  EXPECT_TRUE(Outdates(writes[0], "BTCEUR"));
  EXPECT_FALSE(Outdates("insert into candles values ('BTCUSDT', now(), 1)", "BTCUSDT"));
}

// Situation 15: no node's bytes are another's.
TEST_F(CacheShards, NodesDoNotShareAnswers) {
  At("btc", "update trades set price = 100001");
  At("eth", "update trades set price = 200002");
  const auto steered = [&](std::string_view node) {
    return client_->Value(
        fmt::format("select max(price) from trades /* pgweir: shard={} */", node));
  };
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(steered("btc"), "100001");
    EXPECT_EQ(steered("eth"), "200002");
  }
}

// Situations 15 and 45: answers of several nodes.
TEST_F(CacheShards, AnswersOfSeveralNodesAreOutdatedByAWriteOnAnyOfThem) {
  const auto all = [&] { return All(); };
  for (const char* symbol : {"BTCUSDT", "ETHUSDT", "SOLUSDT"}) {
    EXPECT_TRUE(Outdates(
        fmt::format("update trades set price = price + 1 where symbol = '{}'", symbol), all));
  }
  // No node's bytes are another's.
  At("btc", "update trades set price = 1");
  At("eth", "update trades set price = 2");
  EXPECT_TRUE(client_->Exec("do $$ begin end $$ /* pgweir: shard=btc */").ok());
  EXPECT_TRUE(client_->Exec("do $$ begin end $$ /* pgweir: shard=eth */").ok());
  const std::string_view here = "select max(price) from trades /* pgweir: shard={} */";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(client_->Value(fmt::format(fmt::runtime(here), "btc")), "1");
    EXPECT_EQ(client_->Value(fmt::format(fmt::runtime(here), "eth")), "2");
  }
}

TEST_F(CacheShards, AnswersOfSeveralNodesAreRefreshedInTheBackground) {
  Start(
      "[[cache.rules]]\npattern = \"getting_old\"\nttl = \"100ms\"\n"
      "stale_while_revalidate = \"60s\"\n");
  const auto sorted = [](const Result& rows) {
    std::set<std::string> all;
    for (int i = 0; i < rows.rows(); ++i) all.insert(rows.Value(i, 0) + rows.Value(i, 1));
    return all;
  };
  const auto simple = [&] {
    return sorted(client_->Exec("select symbol as getting_old, price from trades"));
  };
  const auto list = [&] {
    return sorted(client_->Exec(
        "select symbol as getting_old, price from trades where symbol in ('BTCUSDT', 'ETHUSDT')"));
  };
  const auto extended = [&] {
    return sorted(client_->ExecParams(
        "select symbol as getting_old, price from trades where symbol = any($1)",
        {"{BTCUSDT,SOLUSDT}"}));
  };
  using Rows = std::set<std::string>;
  for (const auto& read : std::vector<std::function<Rows()>>{simple, list, extended}) {
    const Rows first = read();
    Rise();
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    EXPECT_EQ(read(), first) << "not served while it is refreshed";
    Rows now;
    EXPECT_TRUE(WaitUntil([&] { return (now = read()) != first; }));
    EXPECT_EQ(now.size(), first.size());
    for (const std::string& row : first) EXPECT_FALSE(now.contains(row)) << row << " is old";
  }
}

// Rows that nobody has told pgweir of are a difference, on whichever node they are.
TEST_F(CacheShards, AnswersOfSeveralNodesAreCompared) {
  Start("[[cache.rules]]\npattern = \"compared\"\nttl = \"60s\"\nverify = 1.0\n");
  const std::string_view read = "select symbol as compared, price from trades";
  const auto shown = [&](const char* column) {
    const Result rows = Connection(process_->Conninfo("postgres", "pgweir")).Exec("show cache");
    return rows.Value(0, PQfnumber(rows.get(), column));
  };
  EXPECT_TRUE(client_->Exec(read).ok());
  EXPECT_TRUE(client_->Exec(read).ok());
  EXPECT_TRUE(WaitUntil([&] { return shown("verified") == "1"; }));
  EXPECT_EQ(shown("differences"), "0");
  At("eth", "update trades set price = price + 1");
  EXPECT_TRUE(client_->Exec(read).ok());
  EXPECT_TRUE(WaitUntil([&] { return shown("differences") == "1"; }));
}

TEST_F(CacheShards, TransactionsBeginBehindAnAnswer) {
  for (const char* cache : {"", "in_transactions = \"until_write\""}) {
    SCOPED_TRACE(cache);
    Start(cache);
    EXPECT_TRUE(Cached([&] { return Price("BTCUSDT"); }));
    EXPECT_TRUE(client_->Exec("begin").ok());
    EXPECT_TRUE(client_->Exec("update trades set price = 7 where symbol = 'BTCUSDT'").ok());
    EXPECT_EQ(Price("BTCUSDT"), "7");
    EXPECT_TRUE(client_->Exec("commit").ok());
    EXPECT_EQ(Price("BTCUSDT"), "7");
  }
}

// Situation 33: by a transaction that has no node yet, and by one that has.
TEST_F(CacheShards, ReadsWithinTransactions) {
  Start("in_transactions = \"until_write\"");
  const auto btc = [&] { return Price("BTCUSDT"); };
  EXPECT_TRUE(client_->Exec("begin").ok());
  EXPECT_TRUE(Cached(btc)) << "before it has a node";
  EXPECT_EQ(client_->transaction(), PQTRANS_INTRANS);
  EXPECT_TRUE(Cached([&] { return Price("ETHUSDT"); })) << "of another node";
  EXPECT_TRUE(client_->Exec("insert into trades values (-1, 'ETHUSDT', 7)").ok());
  EXPECT_EQ(Price("ETHUSDT"), "7") << "its own";
  EXPECT_FALSE(Cached([&] {
    return client_->Value("select max(price) from trades where symbol = 'ETHUSDT' and id > 0");
  }));
  EXPECT_TRUE(client_->Exec("rollback").ok());
  EXPECT_TRUE(Cached([&] { return Price("ETHUSDT"); }));
}

// A change of the schema on all nodes.
TEST_F(CacheShards, SchemaChangesOutdateAllNodes) {
  const auto columns = [&](std::string_view symbol) {
    return PQnfields(
        client_->Exec(fmt::format("select * from padded where symbol = '{}'", symbol)).get());
  };
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(columns("BTCUSDT"), 2);
    EXPECT_EQ(columns("ETHUSDT"), 2);
  }
  EXPECT_TRUE(client_->Exec("alter table padded add column more int").ok());
  EXPECT_EQ(columns("BTCUSDT"), 3);
  EXPECT_EQ(columns("ETHUSDT"), 3);
  EXPECT_TRUE(client_->Exec("alter table padded drop column more").ok());
  EXPECT_EQ(columns("ETHUSDT"), 2);
}

}  // namespace
}  // namespace pgweir::test
