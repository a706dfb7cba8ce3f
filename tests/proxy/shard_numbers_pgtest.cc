// INSERTs into sharded tables that leave columns to sequences: their numbers come from one
// sequence, whatever node they go to.

#include <atomic>
#include <set>
#include <thread>

#include "fmt/format.h"
#include "tests/support/four_shards.h"
#include "tests/support/turns.h"
#include "tests/support/wait_until.h"

namespace pgweir::test {
namespace {

constexpr std::string_view kNumbered = R"(
create sequence lines;
create table deals (id serial primary key, symbol text collate "C" not null, price numeric);
create table notes (id bigint generated always as identity, symbol text collate "C" not null,
                    line int default nextval('lines'), words text);
)";
// Numbers that nodes draw for themselves are from here on.
constexpr int kOwnNumbers = 1'000'000;

class ShardNumbers : public FourShards {
 protected:
  static void SetUpTestSuite() {
    FourShards::SetUpTestSuite();
    for (const std::string& node : Nodes()) {
      At(node, kNumbered);
      for (const char* table : {"deals", "notes"}) {
        At(node, fmt::format("alter table {} add constraint own check ({})", table, Owns(node)));
      }
      if (node == "rest") continue;
      for (const char* sequence : {"deals_id_seq", "notes_id_seq", "lines"}) {
        At(node, fmt::format("select setval('{}', {})", sequence, kOwnNumbers));
      }
    }
    // A node that is always given its numbers need not have the sequence.
    At("xrp", "alter table notes alter line drop default; drop sequence lines");
    At("whole", kNumbered);
    numbering_ = Start();
  }
  static void TearDownTestSuite() {
    numbering_.reset();
    FourShards::TearDownTestSuite();
  }
  void SetUp() override {
    FourShards::SetUp();
    for (const std::string& node : Nodes()) At(node, "truncate deals, notes");
    At("rest",
       "select setval('deals_id_seq', 1, false), setval('notes_id_seq', 1, false), "
       "setval('lines', 1, false)");
  }
  void TearDown() override {
    if (HasFailure()) numbering_->ShowLog();
  }

  static std::unique_ptr<PgweirProcess> Start(std::string_view pool = "size = 5",
                                              std::string_view more = "") {
    PgweirOptions options = Options();
    options.pool = pool;
    options.databases += more;
    std::string map = Map();
    const std::string_view tables = "[tables]\n";
    map.insert(map.find(tables) + tables.size(), "deals = \"symbol\"\nnotes = \"symbol\"\n");
    options.files = {{"shards.toml", map}};
    return std::make_unique<PgweirProcess>(options);
  }
  static PgweirProcess& numbering() { return *numbering_; }
  static std::string Conninfo() { return numbering_->Conninfo("postgres", "market"); }
  static Connection Client() { return Connection(Conninfo()); }
  static RawClient Raw() { return RawClient::Login(numbering_->port(), "postgres", "market"); }
  // "1,2,3" of all nodes together.
  static std::string Numbers(std::string_view table, std::string_view column = "id") {
    std::set<int> numbers;
    size_t rows = 0;
    for (const std::string& node : Nodes()) {
      const Connection direct(server().SocketConninfo("postgres", node));
      const Result result = direct.Exec(fmt::format("select {} from {}", column, table));
      for (int row = 0; row < result.rows(); ++row, ++rows) {
        numbers.insert(std::stoi(result.Value(row)));
      }
    }
    EXPECT_EQ(numbers.size(), rows) << "a number was given twice";
    return fmt::format("{}", fmt::join(numbers, ","));
  }
  static std::string PositionOf(const Result& result) {
    const char* position = PQresultErrorField(result.get(), PG_DIAG_STATEMENT_POSITION);
    return position == nullptr ? "" : position;
  }

 private:
  static std::unique_ptr<PgweirProcess> numbering_;
};

std::unique_ptr<PgweirProcess> ShardNumbers::numbering_;

constexpr const char* kSymbols[] = {"BTCUSDT", "ETHUSDT", "XRPUSDT", "SOLUSDT"};

TEST_F(ShardNumbers, ComeFromOneSequenceWhateverTheNode) {
  const Connection client = Client();
  int expected = 1;
  for (const char* symbol : kSymbols) {
    const Result result =
        client.Exec(fmt::format("insert into deals (symbol) values ('{}') returning id", symbol));
    EXPECT_EQ(result.Value(), std::to_string(expected++)) << result.message();
    EXPECT_EQ(result.tag(), "INSERT 0 1");
  }
  EXPECT_EQ(Numbers("deals"), "1,2,3,4");
}

TEST_F(ShardNumbers, StandInEachRowThatLeavesThemOut) {
  const Connection client = Client();
  for (const char* sql :
       {"insert into deals (symbol, price) values ('BTCUSDT', 1), ('BTCEUR', 2), ('BTCX', 3)",
        "insert into deals values (default, 'ETHUSDT', 1), (90, 'ETHUSDT', 2), (DEFAULT, 'ETHX', "
        "3)",
        "insert into deals as d (price, symbol) values (4, 'XRPUSDT') on conflict do nothing",
        "insert into deals (symbol) values ('SOLUSDT'), ('ADAUSDT') returning *"}) {
    const Result result = client.Exec(sql);
    EXPECT_TRUE(result.ok()) << sql << ": " << result.message();
  }
  EXPECT_EQ(Numbers("deals"), "1,2,3,4,5,6,7,8,90");
  EXPECT_EQ(At("btc", "select string_agg(price || symbol, ' ' order by id) from deals"),
            "1BTCUSDT 2BTCEUR 3BTCX");
}

TEST_F(ShardNumbers, AreThoseOfIdentitiesAndOfEachColumn) {
  const Connection client = Client();
  for (const char* symbol : kSymbols) {
    const Result result = client.Exec(fmt::format(
        "insert into notes (symbol, words) values ('{}', 'x'), ('{}', 'y')", symbol, symbol));
    EXPECT_TRUE(result.ok()) << result.message();
  }
  EXPECT_EQ(Numbers("notes"), "1,2,3,4,5,6,7,8");
  EXPECT_EQ(Numbers("notes", "line"), "1,2,3,4,5,6,7,8");
  EXPECT_TRUE(client.Exec("insert into notes values (default, 'BTCUSDT', default, 'x')").ok());
  EXPECT_EQ(Numbers("notes"), "1,2,3,4,5,6,7,8,9");
  EXPECT_EQ(client.Exec("insert into notes (id, symbol) values (1, 'BTCUSDT')").sqlstate(),
            "428C9");
}

TEST_F(ShardNumbers, AreParametersBehindTheClientsOwn) {
  const Connection client = Client();
  int expected = 1;
  for (const char* symbol : kSymbols) {
    const Result result = client.ExecParams(
        "insert into deals (symbol, price) values ($1, $2) returning id, price", {symbol, "2.5"});
    EXPECT_EQ(result.Value(0, 0), std::to_string(expected++)) << result.message();
    EXPECT_EQ(result.Value(0, 1), "2.5");
  }
  const Result rows = client.ExecParams(
      "insert into notes (symbol, words) values ($1, $2), ($1, $3) returning id, line, words",
      {"BTCUSDT", "x", "y"});
  ASSERT_EQ(rows.rows(), 2) << rows.message();
  EXPECT_EQ(rows.Value(1, 0) + rows.Value(1, 1) + rows.Value(1, 2), "22y");
  const Result mixed = client.ExecParams(
      "insert into deals (id, symbol) values ($1, 'BTCUSDT'), (default, $2) returning id",
      {"70", "BTCUSDT"});
  EXPECT_EQ(mixed.Value(1), "5") << mixed.message();
}

TEST_F(ShardNumbers, FitWhateverFormatsTheParametersHave) {
  RawClient client = Raw();
  const std::string sql = "insert into deals (symbol, price) values ($1, $2::int4) returning id";
  const std::string seven("\0\0\0\7", 4);
  int expected = 1;
  for (const auto& [formats, price] : {std::pair<std::vector<int>, std::string>({}, "7"),
                                       {{0}, "7"},
                                       {{1}, seven},
                                       {{0, 1}, seven},
                                       {{0, 0}, "7"}}) {
    for (const char* symbol : {"BTCUSDT", "SOLUSDT"}) {
      client.Send(fe::Parse("", sql) + fe::BindFormats("", "", formats, {symbol, price}, {}) +
                  fe::Execute("") + fe::Sync());
      const auto answer = client.ReadUntilReady();
      ASSERT_EQ(Types(answer), "12DCZ") << Field(answer.back(), 'M');
      EXPECT_EQ(Columns(*Find(answer, 'D'))[0], std::to_string(expected++));
    }
  }
  EXPECT_EQ(At("btc", "select string_agg(price::text, ' ') from deals"), "7 7 7 7 7");
  // Of one parameter, one format is that of all.
  client.Send(fe::Parse("", "insert into deals (symbol) values ($1) returning id") +
              fe::BindFormats("", "", {1}, {"ETHUSDT"}, {1}) + fe::Execute("") + fe::Sync());
  EXPECT_EQ(Columns(*Find(client.ReadUntilReady(), 'D'))[0], std::string("\0\0\0\x0b", 4));
}

TEST_F(ShardNumbers, AreNotSeenInAStatementsDescription) {
  const Connection client = Client();
  ASSERT_TRUE(Result(PQprepare(client.get(), "p",
                               "insert into notes (words, symbol) values ($1, $2)", 0, nullptr))
                  .ok());
  const Result described(PQdescribePrepared(client.get(), "p"));
  ASSERT_EQ(PQnparams(described.get()), 2) << described.message();
  EXPECT_EQ(PQparamtype(described.get(), 0), 25u);
  EXPECT_EQ(PQparamtype(described.get(), 1), 25u);
  RawClient raw = Raw();
  raw.Send(fe::Parse("", "insert into deals (price, symbol) values ($1, $2) returning id") +
           fe::Describe('S', "") + fe::Sync());
  const auto answer = raw.ReadUntilReady();
  ASSERT_EQ(Types(answer), "1tTZ");
  EXPECT_EQ(Find(answer, 't')->body, fe::Int16(2) + fe::Int32(1700) + fe::Int32(25));
}

TEST_F(ShardNumbers, AreGivenToEachExecutionOfAPreparedStatement) {
  const Connection client = Client();
  ASSERT_TRUE(Result(PQprepare(client.get(), "p",
                               "insert into deals (symbol, price) values ($1, $2) returning id", 0,
                               nullptr))
                  .ok());
  const auto execute = [&](const char* symbol) {
    const char* const values[] = {symbol, "1"};
    const Result result(PQexecPrepared(client.get(), "p", 2, values, nullptr, nullptr, 0));
    return result.ok() ? result.Value() : result.message();
  };
  int expected = 1;
  for (int i = 0; i < 3; ++i) {
    for (const char* symbol : kSymbols) EXPECT_EQ(execute(symbol), std::to_string(expected++));
  }
  // Others hold the backends that have it.
  const Connection other = Client();
  const Connection third = Client();
  for (const Connection* holder : {&other, &third}) {
    ASSERT_TRUE(holder->Exec("begin").ok());
    ASSERT_TRUE(holder->Exec("select * from deals where symbol = 'BTCUSDT'").ok());
  }
  EXPECT_EQ(execute("BTCUSDT"), std::to_string(expected++));
  const char* const one[] = {"BTCUSDT"};
  const Result few(PQexecPrepared(client.get(), "p", 1, one, nullptr, nullptr, 0));
  EXPECT_EQ(few.sqlstate(), "08P01");
  EXPECT_NE(few.message().find("supplies 1 parameters, but prepared statement \"p\" requires 2"),
            std::string::npos)
      << few.message();
  EXPECT_EQ(execute("ETHUSDT"), std::to_string(expected + 1));  // that one was drawn in vain
}

TEST_F(ShardNumbers, AreDrawnForAllOfAPipeline) {
  RawClient client = Raw();
  const std::string named = "insert into deals (symbol) values ($1), ($1) returning id";
  std::string batches = fe::Parse("p", named) + fe::Sync();
  for (const char* symbol : kSymbols) {
    for (int i = 0; i < 3; ++i) batches += fe::Bind("", "p", {symbol}) + fe::Execute("");
    batches += fe::Extended("insert into notes (symbol) values ($1) returning line", {symbol});
    batches += fe::Sync();
  }
  client.Send(batches);
  EXPECT_EQ(Types(client.ReadUntilReady()), "1Z");
  int expected = 1;
  for (int i = 0; i < 4; ++i) {
    const auto answer = client.ReadUntilReady();
    ASSERT_EQ(Types(answer), "2DDC2DDC2DDC12TDCZ");
    int row = 0;
    for (const Message& message : answer) {
      if (message.type != 'D' || row++ == 6) continue;
      EXPECT_EQ(Columns(message)[0], std::to_string(expected++));
    }
  }
  EXPECT_EQ(Numbers("notes", "line"), "1,2,3,4");
}

TEST_F(ShardNumbers, AreDrawnWithinABatchThatIsFlushed) {
  RawClient client = Raw();
  client.Send(fe::Parse("", "insert into deals (symbol) values ($1) returning id") +
              fe::Describe('S', "") + fe::Flush());
  EXPECT_EQ(client.Read().type, '1');
  EXPECT_EQ(client.Read().body, fe::Int16(1) + fe::Int32(25));
  EXPECT_EQ(client.Read().type, 'T');
  for (const char* id : {"1", "2"}) {
    client.Send(fe::Bind("", "", {"ETHUSDT"}) + fe::Execute("") + fe::Flush());
    EXPECT_EQ(client.Read().type, '2');
    EXPECT_EQ(Columns(client.Expect('D'))[0], id);
    EXPECT_EQ(client.Read().type, 'C');
  }
  client.Send(fe::Sync());
  EXPECT_EQ(client.Read().type, 'Z');
  EXPECT_EQ(Numbers("deals"), "1,2");
}

// The unnamed statement is the one that was parsed last, also where no server has seen that.
TEST_F(ShardNumbers, AreNotGivenToReadsThatTheCacheHasAnswered) {
  const auto pgweir = Start(
      "size = 5", "[cache]\nenabled = true\n[[cache.rules]]\npattern = \".\"\nttl = \"60s\"\n");
  RawClient client = RawClient::Login(pgweir->port(), "postgres", "market");
  RawClient other = RawClient::Login(pgweir->port(), "postgres", "market");
  const std::string run = fe::Bind("", "", {"BTCUSDT"}) + fe::Execute("");
  EXPECT_EQ(Batch(client, fe::Parse("", "insert into deals (symbol) values ($1)") + run),
            "1 2 C(INSERT 0 1) ZI");
  const std::string read = fe::Parse("", "select count(*) from deals where symbol = $1") + run;
  std::string kept;
  ASSERT_TRUE(WaitUntil([&] {
    kept = Batch(other, read);
    At("btc", "insert into deals (symbol) values ('BTCUSDT')");
    return Batch(other, read) == kept;
  }));
  EXPECT_EQ(Batch(client, read), kept);
  const std::string now = At("btc", "select count(*) from deals");
  EXPECT_EQ(Batch(client, run), fmt::format("2 D({}) C(SELECT 1) ZI", now)) << "by the server";
}

TEST_F(ShardNumbers, MoveNoTransaction) {
  const Connection client = Client();
  ASSERT_TRUE(client.Exec("begin").ok());
  EXPECT_EQ(client.Exec("insert into deals (symbol) values ('BTCUSDT') returning id").Value(), "1");
  EXPECT_EQ(
      client.ExecParams("insert into deals (symbol) values ($1) returning id", {"BTCUSDT"}).Value(),
      "2");
  EXPECT_EQ(client.Value("select current_database() from deals where symbol = 'BTCUSDT'"), "btc");
  ASSERT_TRUE(client.Exec("rollback").ok());
  EXPECT_EQ(Numbers("deals"), "");
  // One that has said nothing yet of where it belongs, and was somewhere else.
  ASSERT_TRUE(client.Exec("begin; set local lock_timeout = '7s'").ok());
  EXPECT_EQ(client.Exec("insert into deals (symbol) values ('ETHUSDT') returning id").Value(), "3");
  EXPECT_EQ(client.Value("show lock_timeout"), "7s");
  ASSERT_TRUE(client.Exec("commit").ok());
  EXPECT_EQ(Numbers("deals"), "3");
  const Result both = client.Exec(
      "begin; insert into deals (symbol) values ('XRPUSDT'); insert into notes (symbol, words) "
      "values ('XRPUSDT', 'x'), ('XRPUSDT', 'y'); commit");
  EXPECT_TRUE(both.ok()) << both.message();
  EXPECT_EQ(Numbers("deals"), "3,4");
  EXPECT_EQ(Numbers("notes", "line"), "1,2");
}

TEST_F(ShardNumbers, LeaveErrorsAtTheClientsPositions) {
  const Connection client = Client();
  const Connection whole(server().SocketConninfo("postgres", "whole"));
  for (const char* sql :
       {"insert into notes (symbol, words) values ('BTCUSDT', 'ä') returning nosuch",
        "insert into notes (symbol, words) values ('BTCUSDT', 'ä'), ('BTCUSDT', nosuch)",
        "insert into notes (symbol, nosuch) values ('BTCUSDT', 1)",
        "insert into deals values (default, 'BTCUSDT', 'ä'), (default, 'BTCX', nosuch)",
        "select 1; insert into deals (symbol) values ('BTCUSDT'); "
        "insert into deals (symbol) values ('BTCUSDT') returning nosuch"}) {
    const std::string expected = PositionOf(whole.Exec(sql));
    EXPECT_NE(expected, "");
    EXPECT_EQ(PositionOf(client.Exec(sql)), expected) << sql;
    if (std::string_view(sql).starts_with("select")) continue;
    EXPECT_EQ(PositionOf(client.ExecParams(sql, {})), expected) << sql;
    const Result prepared(PQprepare(client.get(), "bad", sql, 0, nullptr));
    EXPECT_EQ(PositionOf(prepared), expected) << sql;
  }
  // In what isn't the client's, at the place where it stands.
  EXPECT_EQ(client.Value("select 1"), "1");
}

TEST_F(ShardNumbers, AreNotGuessed) {
  const Connection client = Client();
  for (const char* sql : {"insert into deals (symbol) select 'BTCUSDT'",
                          "with a as (select 1) insert into deals (symbol) values ('BTCUSDT')",
                          "with a as (insert into deals (symbol) values ('BTCUSDT') returning id) "
                          "select * from a",
                          "explain insert into deals (symbol) values ('BTCUSDT')",
                          "insert into deals (symbol) (values ('BTCUSDT'))",
                          "update deals set id = default where symbol = 'BTCUSDT'",
                          "copy deals (symbol) from stdin"}) {
    EXPECT_EQ(client.Exec(sql).sqlstate(), "0A000") << sql;
    EXPECT_EQ(client.ExecParams(sql, {}).sqlstate(), "0A000") << sql;
  }
  EXPECT_EQ(Numbers("deals"), "");
  EXPECT_EQ(At("rest", "select is_called from deals_id_seq"), "f");
}

TEST_F(ShardNumbers, MayBeMany) {
  const auto insert = [](size_t rows, std::string_view row) {
    std::string sql = "insert into notes (symbol) values ";
    for (size_t i = 0; i < rows; ++i) sql.append(i == 0 ? "" : ",").append(row);
    return sql;
  };
  const Connection client = Client();
  const std::string most = insert(5'900, "($1)");
  ASSERT_TRUE(Result(PQprepare(client.get(), "p", most.c_str(), 0, nullptr)).ok());
  const Result described(PQdescribePrepared(client.get(), "p"));
  EXPECT_EQ(PQnparams(described.get()), 1) << described.message();
  const char* const values[] = {"BTCUSDT"};
  const Result done(PQexecPrepared(client.get(), "p", 1, values, nullptr, nullptr, 0));
  EXPECT_EQ(done.tag(), "INSERT 0 5900") << done.message();
  EXPECT_EQ(client.Exec(insert(4'000, "('ETHUSDT')")).tag(), "INSERT 0 4000");
  EXPECT_EQ(At("eth", "select max(id) - 5900 || ' ' || max(line) - 5900 from notes"), "4000 4000");
  EXPECT_NE(
      client.ExecParams(insert(6'100, "($1)"), {"BTCX"}).message().find("too many parameters"),
      std::string::npos);
  EXPECT_NE(client.Exec(insert(5'000, "('ETHUSDT')")).message().find("and it is too long"),
            std::string::npos);
  EXPECT_EQ(At("rest", "select last_value from lines"), "9900");
}

TEST_F(ShardNumbers, AreExplained) {
  const Connection client = Client();  // the catalog is known for as long as there is one
  const Connection console(numbering().Conninfo("postgres", "pgweir"));
  const Result rows =
      console.Exec("explain route 'insert into deals (symbol) values (''BTCUSDT'')'");
  std::string text;
  for (int row = 0; row < rows.rows(); ++row) text += rows.Value(row) + "\n";
  EXPECT_NE(text.find("\nnumbers: of public.deals_id_seq, drawn on the node rest\nsent to btc: "),
            std::string::npos)
      << text;
}

TEST_F(ShardNumbers, ThatEndAreRefusedInTheServersWords) {
  At("rest", "alter sequence deals_id_seq maxvalue 2");
  const Connection client = Client();
  EXPECT_EQ(
      client.Exec("insert into deals (symbol) values ('BTCX'), ('BTCY'), ('BTCZ')").sqlstate(),
      "2200H");
  ASSERT_TRUE(client.Exec("begin").ok());
  ASSERT_TRUE(client.Exec("insert into deals (id, symbol) values (50, 'BTCX')").ok());
  EXPECT_EQ(client.Exec("insert into deals (symbol) values ('BTCX')").sqlstate(), "2200H");
  EXPECT_EQ(client.transaction(), PQTRANS_INERROR);
  EXPECT_EQ(client.ExecParams("insert into deals (symbol) values ($1)", {"BTCX"}).sqlstate(),
            "25P02");
  EXPECT_EQ(client.Exec("insert into deals (symbol) values ('BTCX')").sqlstate(), "25P02");
  EXPECT_EQ(client.Exec("commit").tag(), "ROLLBACK");
  At("rest", "alter sequence deals_id_seq no maxvalue");
  EXPECT_EQ(client.Exec("insert into deals (symbol) values ('BTCX') returning id").Value(), "3");
  EXPECT_EQ(Numbers("deals"), "3");
}

// A number is drawn as who the client acts.
TEST_F(ShardNumbers, AreDrawnInTheClientsRole) {
  server().Query("create role clerk");
  for (const std::string& node : Nodes()) At(node, "grant insert, select on deals to clerk");
  const Connection client = Client();
  const Connection other = Client();
  ASSERT_TRUE(client.Exec("set role clerk").ok());
  EXPECT_EQ(client.Exec("insert into deals (symbol) values ('BTCX')").sqlstate(), "42501");
  EXPECT_TRUE(other.Exec("insert into deals (symbol) values ('BTCX')").ok());
  At("rest", "grant usage on sequence deals_id_seq to clerk");
  EXPECT_TRUE(client.Exec("insert into deals (symbol) values ('BTCX')").ok());
  EXPECT_EQ(other.Value("select current_user from orders right join (select 1) x on true"),
            "postgres");
  EXPECT_EQ(Numbers("deals"), "1,2");
}

// What a statement was prepared with may not be so any more.
TEST_F(ShardNumbers, FollowTheTable) {
  const Connection client = Client();
  ASSERT_TRUE(
      Result(PQprepare(client.get(), "p", "insert into deals values (default, $1, 1)", 0, nullptr))
          .ok());
  const auto execute = [&] {
    const char* const values[] = {"BTCUSDT"};
    return Result(PQexecPrepared(client.get(), "p", 1, values, nullptr, nullptr, 0)).sqlstate();
  };
  EXPECT_EQ(execute(), "");
  ASSERT_TRUE(client.Exec("alter table deals alter id drop default").ok());
  EXPECT_EQ(execute(), "23502");
  ASSERT_TRUE(client.Exec("alter table deals alter id set default nextval('deals_id_seq')").ok());
  EXPECT_EQ(execute(), "");
  EXPECT_EQ(Numbers("deals"), "1,2");
}

TEST_F(ShardNumbers, NeedNoSecondBackendOnTheirOwnNode) {
  const auto pgweir = Start("size = 1\nwait_timeout = \"3s\"");
  const Connection client(pgweir->Conninfo("postgres", "market"));
  ASSERT_TRUE(client.Exec("begin").ok());
  EXPECT_EQ(client.Exec("insert into deals (symbol) values ('SOLX') returning id").Value(), "1");
  EXPECT_EQ(
      client.ExecParams("insert into deals (symbol) values ($1) returning id", {"SOLX"}).Value(),
      "2");
  EXPECT_EQ(client.Value("select lastval()"), "2");
  EXPECT_TRUE(client.Exec("commit").ok());
  EXPECT_EQ(Numbers("deals"), "1,2");
}

TEST_F(ShardNumbers, AreWaitedForInTheQueueOfTheirNode) {
  const auto pgweir = Start("size = 1\nwait_timeout = \"2s\"");
  const std::string conninfo = pgweir->Conninfo("postgres", "market");
  const Connection holder(conninfo);
  const Connection client(conninfo);
  const auto hold = [&] {
    ASSERT_TRUE(holder.Exec("begin").ok());
    ASSERT_TRUE(holder.Exec("select * from orders").ok());
  };
  hold();
  ASSERT_TRUE(client.Exec("begin").ok());
  ASSERT_TRUE(client.Exec("insert into deals (id, symbol) values (50, 'BTCX')").ok());
  client.Send("insert into deals (symbol) values ('BTCX')");
  EXPECT_FALSE(client.Ready(300));
  EXPECT_EQ(client.Cancel(), "");
  EXPECT_EQ(client.Next()->sqlstate(), "57014");
  EXPECT_FALSE(client.Next().has_value());
  EXPECT_EQ(client.transaction(), PQTRANS_INERROR);
  ASSERT_TRUE(client.Exec("rollback").ok());
  // Outside of a transaction, and until the time is over.
  EXPECT_EQ(client.Exec("insert into deals (symbol) values ('BTCX')").sqlstate(), "53300");
  EXPECT_EQ(client.transaction(), PQTRANS_IDLE);
  client.Send("insert into deals (symbol) values ('BTCX') returning id");
  EXPECT_FALSE(client.Ready(300));
  ASSERT_TRUE(holder.Exec("commit").ok());
  EXPECT_EQ(client.Next()->Value(), "1");
  EXPECT_FALSE(client.Next().has_value());
  // One that leaves meanwhile leaves nothing behind.
  hold();
  Connection leaving(conninfo);
  ASSERT_TRUE(leaving.Exec("begin").ok());
  ASSERT_TRUE(leaving.Exec("insert into deals (id, symbol) values (50, 'BTCX')").ok());
  leaving.Send("insert into deals (symbol) values ('BTCX')");
  EXPECT_FALSE(leaving.Ready(200));
  leaving.Abandon();
  ASSERT_TRUE(holder.Exec("commit").ok());
  EXPECT_EQ(client.Exec("insert into deals (symbol) values ('BTCX') returning id").Value(), "2");
  EXPECT_EQ(Numbers("deals"), "1,2");
}

TEST_F(ShardNumbers, AreGivenOnceHoweverManyAskAtOnce) {
  constexpr int kClients = 6;
  constexpr int kRounds = 40;
  std::atomic<int> inserted{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const Connection client = Client();
      EXPECT_TRUE(
          Result(PQprepare(client.get(), "p", "insert into deals (symbol) values ($1)", 0, nullptr))
              .ok());
      for (int round = 0; round < kRounds; ++round) {
        const char* const symbol = kSymbols[(i + round) % 4];
        const bool within = round % 5 == 0;
        if (within) client.Exec("begin");
        const Result simple = client.Exec(
            fmt::format("insert into deals (symbol) values ('{}'), ('{}')", symbol, symbol));
        const Result bound =
            client.ExecParams("insert into deals (price, symbol) values (1, $1)", {symbol});
        const char* const values[] = {symbol};
        const Result prepared(PQexecPrepared(client.get(), "p", 1, values, nullptr, nullptr, 0));
        if (within) client.Exec("commit");
        for (const Result* result : {&simple, &bound, &prepared}) {
          EXPECT_TRUE(result->ok()) << result->message();
        }
        inserted += 4;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  std::string expected;
  for (int i = 1; i <= inserted; ++i) expected += (i == 1 ? "" : ",") + std::to_string(i);
  EXPECT_EQ(Numbers("deals"), expected);
}

}  // namespace
}  // namespace pgweir::test
