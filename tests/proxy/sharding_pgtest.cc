// Requests of a sharded database: each goes to the node that it belongs to, as a whole.

#include "fmt/format.h"
#include "tests/support/four_shards.h"

namespace pgweir::test {
namespace {

class Sharding : public FourShards {
 protected:
  static Connection Client() { return Connection(Conninfo()); }
  static void Insert(const Connection& client, std::string_view symbol, int id = 1) {
    const Result result =
        client.Exec(fmt::format("insert into trades values ({}, '{}', 1.5)", id, symbol));
    EXPECT_TRUE(result.ok()) << result.message();
  }
  static std::string Count(std::string_view node, std::string_view table = "trades") {
    return At(node, fmt::format("select count(*) from {}", table));
  }
};

TEST_F(Sharding, LeadsRowsToTheirNodes) {
  const Connection client = Client();
  for (const char* symbol : {"BTCUSDT", "BTCEUR", "ETHUSDT", "ETHW", "XRPUSDT", "SOLUSDT"}) {
    Insert(client, symbol);
  }
  EXPECT_EQ(Count("btc"), "2");
  EXPECT_EQ(Count("eth"), "1");
  EXPECT_EQ(Count("xrp"), "2");
  EXPECT_EQ(Count("rest"), "1");
  EXPECT_EQ(client.Value("select current_database() from trades where symbol = 'ETHW'"), "xrp");
  EXPECT_EQ(client.Value("select current_database() from trades where symbol = 'BTCEUR'"), "btc");
}

TEST_F(Sharding, ReadsValuesOfParameters) {
  const Connection client = Client();
  for (const char* symbol : {"BTCUSDT", "ETHUSDT", "SOLUSDT"}) Insert(client, symbol);
  const char* const sql = "select current_database() from trades where symbol = $1";
  EXPECT_EQ(client.ExecParams(sql, {"ETHUSDT"}).Value(), "eth");
  EXPECT_EQ(client.ExecParams(sql, {"BTCUSDT"}).Value(), "btc");
  const Result prepared(PQprepare(client.get(), "by_symbol", sql, 0, nullptr));
  ASSERT_TRUE(prepared.ok()) << prepared.message();
  for (const auto& [symbol, node] : {std::pair("BTCUSDT", "btc"), std::pair("SOLUSDT", "rest"),
                                     std::pair("ETHUSDT", "eth"), std::pair("BTCUSDT", "btc")}) {
    const char* const values[] = {symbol};
    const Result found(PQexecPrepared(client.get(), "by_symbol", 1, values, nullptr, nullptr, 0));
    EXPECT_EQ(found.Value(), node) << found.message();
  }
}

TEST_F(Sharding, AsksEachNodeForItsOwnSymbols) {
  const Connection client = Client();
  for (const char* symbol : {"BTCUSDT", "ETHUSDT"}) Insert(client, symbol);
  const std::string head = "select symbol from trades where symbol in (";
  const std::string sql = head + "'BTCUSDT', 'ETHUSDT')";
  const auto expect_own = [&head](const Result& result) {
    EXPECT_EQ(result.rows(), 2) << result.message();
    for (const auto& [node, symbol] : {std::pair("btc", "BTCUSDT"), std::pair("eth", "ETHUSDT")}) {
      EXPECT_EQ(At(node, fmt::format("select query from pg_stat_activity where datname = '{}' and "
                                     "query like '{}%' order by query_start desc limit 1",
                                     node, head)),
                fmt::format("{0}'{1}', '{1}')", head, symbol));
    }
  };
  const auto execute = [&client](const char* name) {
    return Result(PQexecPrepared(client.get(), name, 0, nullptr, nullptr, nullptr, 0));
  };
  expect_own(client.Exec(sql));
  expect_own(client.ExecParams(sql, {}));
  for (const char* name : {"", "named"}) {
    ASSERT_TRUE(Result(PQprepare(client.get(), name, sql.c_str(), 0, nullptr)).ok());
    for (int i = 0; i < 3; ++i) expect_own(execute(name));
    const Result described(PQdescribePrepared(client.get(), name));
    EXPECT_EQ(PQnfields(described.get()), 1) << described.message();
    expect_own(execute(name));
    if (*name == '\0') continue;
    // In its transaction it can only be on one.
    ASSERT_TRUE(client.Exec("begin").ok());
    EXPECT_EQ(execute(name).sqlstate(), "0A000");
    ASSERT_TRUE(client.Exec("rollback").ok());
  }
}

// What it says isn't kept, so that nobody knows where its values would lead.
TEST_F(Sharding, RefusesValuesForStatementsThatItHasNotKept) {
  for (const char* symbol : {"BTCUSDT", "ETHUSDT", "SOLUSDT"}) Insert(Client(), symbol);
  const Connection client = Client();
  const auto bound = [&client](const char* symbol) {
    const char* const values[] = {symbol};
    const Result found(PQexecPrepared(client.get(), "kept", 1, values, nullptr, nullptr, 0));
    return found.ok() ? found.Value() : found.sqlstate();
  };
  const std::string text = "select current_database() from trades where symbol = $1 /* " +
                           std::string(60'000, 'x') + " */";
  const Result prepared(PQprepare(client.get(), "kept", text.c_str(), 0, nullptr));
  ASSERT_TRUE(prepared.ok()) << prepared.message();
  for (const char* symbol : {"ETHUSDT", "BTCUSDT", "SOLUSDT"}) {
    EXPECT_EQ(bound(symbol), "0A000") << symbol;
  }
  ASSERT_TRUE(client.Exec("set pgweir.shard = 'rest'").ok());
  EXPECT_EQ(bound("SOLUSDT"), "rest") << "it is steered";
}

// Before any value tells where it will be carried out.
TEST_F(Sharding, PreparesWhereAllTablesAre) {
  const Connection client = Client();
  Insert(client, "BTCUSDT");
  Insert(client, "SOLUSDT");
  const Result prepared(PQprepare(
      client.get(), "joined",
      "select current_database() from trades left join orders using (symbol) where symbol = $1", 0,
      nullptr));
  ASSERT_TRUE(prepared.ok()) << prepared.message();
  for (const auto& [symbol, answer] : {std::pair("SOLUSDT", "rest"), std::pair("BTCUSDT", "")}) {
    const char* const values[] = {symbol};
    const Result found(PQexecPrepared(client.get(), "joined", 1, values, nullptr, nullptr, 0));
    EXPECT_EQ(found.Value(), answer) << found.message();
  }
}

TEST_F(Sharding, StaysInItsTransactionForWhatNoSymbolFits) {
  const Connection client = Client();
  Insert(client, "BTCUSDT");
  ASSERT_TRUE(client.Exec("begin").ok());
  Insert(client, "BTCEUR");
  EXPECT_EQ(client.ExecParams("select id from trades where symbol = any ($1)", {"{}"}).tag(),
            "SELECT 0");
  EXPECT_EQ(client.Exec("delete from trades where symbol = null").tag(), "DELETE 0");
  EXPECT_TRUE(client.Exec("commit").ok());
  EXPECT_EQ(Count("btc"), "2");
}

TEST_F(Sharding, PutsRowsOneAfterTheOther) {
  const Connection client = Client();
  for (const char* symbol : {"BTCUSDT", "ETHUSDT", "XRPUSDT", "SOLUSDT"}) Insert(client, symbol);
  const Result all = client.Exec("select symbol from trades");
  EXPECT_EQ(all.rows(), 4) << all.message();
  EXPECT_EQ(all.tag(), "SELECT 4");
  const Result two =
      client.ExecParams("select symbol from trades where symbol = any ($1)", {"{ETHUSDT,BTCUSDT}"});
  EXPECT_EQ(two.rows(), 2) << two.message();
  EXPECT_EQ(two.Value(0), "BTCUSDT");
  EXPECT_EQ(two.Value(1), "ETHUSDT");
  EXPECT_EQ(client.Exec("select symbol from trades where price > 5").tag(), "SELECT 0");
  // The connection is as good as before.
  EXPECT_EQ(client.Value("select 1"), "1");
}

// What a node is sent is seen in its log of statements.
TEST_F(Sharding, SendsEachNodeItsOwnSymbolsOnly) {
  const Connection client = Client();
  for (const char* symbol : {"BTCUSDT", "ETHUSDT", "XRPUSDT", "SOLUSDT"}) Insert(client, symbol);
  const size_t from = server().log().size();
  const Result simple =
      client.Exec("select symbol from trades where symbol in ('ETHUSDT', 'BTCUSDT')");
  ASSERT_EQ(simple.rows(), 2) << simple.message();
  const std::string log = server().log().substr(from);
  for (const auto& [node, symbol] : {std::pair("btc", "BTCUSDT"), std::pair("eth", "ETHUSDT")}) {
    const std::string sent =
        fmt::format("{}: LOG:  statement: select symbol from trades where symbol in ('{}', '{}')",
                    node, symbol, symbol);
    EXPECT_NE(log.find(sent), std::string::npos) << log;
  }
  const Result bound = client.ExecParams(
      "select symbol, array_to_string($1::text[], '+') from trades where symbol = any ($1)",
      {"{ETHUSDT,BTCUSDT}"});
  ASSERT_EQ(bound.rows(), 2) << bound.message();
  EXPECT_EQ(bound.Value(0, 1), "ETHUSDT+BTCUSDT");  // it is asked for
  EXPECT_EQ(client
                .ExecParams("select symbol from trades where symbol = any ($1)",
                            {"{ETHUSDT,BTCUSDT,BTCEUR}"})
                .rows(),
            2);
  EXPECT_EQ(client
                .ExecParams("select symbol from trades where symbol in ($1, $2) and price < $3",
                            {"ETHUSDT", "XRPUSDT", "5"})
                .rows(),
            2);
}

TEST_F(Sharding, ReadsLongStatements) {
  const Connection client = Client();
  const auto insert = [](int rows) {
    std::string sql = "insert into trades values ";
    for (int i = 0; i < rows; ++i) {
      sql += fmt::format("{}({}, 'ETHUSDT', 12345.678)", i == 0 ? "" : ", ", i);
    }
    return sql;
  };
  const std::string fits = insert(2500);
  ASSERT_GT(fits.size(), 64u * 1024);
  EXPECT_EQ(client.Exec(fits).tag(), "INSERT 0 2500");
  EXPECT_EQ(
      client.ExecParams(fits.substr(0, fits.rfind(", (")) + " on conflict do nothing", {}).tag(),
      "INSERT 0 0");
  EXPECT_EQ(Count("eth"), "2500");
  EXPECT_EQ(client.Exec(insert(20'000)).sqlstate(), "0A000");
  const std::string large(300'000, '7');
  EXPECT_EQ(client.ExecParams("insert into trades select 1, 'BTCUSDT', length($1)", {large}).tag(),
            "INSERT 0 1");
  // What is refused of a transaction is refused to its end.
  ASSERT_TRUE(client.Exec("begin").ok());
  Insert(client, "ETHUSDT", 9999);
  EXPECT_EQ(
      client.ExecParams("insert into trades select 2, 'BTCUSDT', length($1)", {large}).sqlstate(),
      "0A000");
  EXPECT_EQ(client.transaction(), PQTRANS_INERROR);
  EXPECT_EQ(client.Exec("rollback").tag(), "ROLLBACK");
  ASSERT_TRUE(client.Exec("begin").ok());
  Insert(client, "ETHUSDT", 9999);
  EXPECT_EQ(client.Exec(insert(20'000)).sqlstate(), "0A000");
  EXPECT_EQ(client.Exec("rollback").tag(), "ROLLBACK");
  ASSERT_TRUE(client.Exec("set pgweir.shard = 'eth'; ").ok());
  EXPECT_EQ(client.Exec(insert(4000) + " on conflict do nothing").tag(), "INSERT 0 1500");
}

TEST_F(Sharding, RefusesWhatOnlyOneDatabaseCouldAnswer) {
  const Connection client = Client();
  for (const char* sql :
       {"select count(*) from trades", "select * from trades order by at limit 1",
        "update trades set price = 1", "delete from trades where symbol in ('BTCUSDT', 'ETHUSDT')",
        "insert into trades values (1, 'BTCUSDT', 1), (2, 'ETHUSDT', 1)",
        "insert into trades (id, price) values (1, 1)", "insert into trades values (1, null, 1)",
        "update instruments set name = 'x' where symbol = 'BTCUSDT'"}) {
    const Result result = client.Exec(sql);
    EXPECT_EQ(result.sqlstate(), "0A000") << sql;
    EXPECT_EQ(client.transaction(), PQTRANS_IDLE);
  }
  const Result by_parameter =
      client.ExecParams("update trades set price = 1 where price < $1", {"3"});
  EXPECT_EQ(by_parameter.sqlstate(), "0A000");
  EXPECT_EQ(client.Value("select 1"), "1");
}

TEST_F(Sharding, TakesATransactionToItsNode) {
  const Connection client = Client();
  for (const char* symbol : {"BTCUSDT", "ETHUSDT", "XRPUSDT", "SOLUSDT", "ETHW"}) {
    ASSERT_TRUE(client.Exec("begin").ok());
    EXPECT_EQ(client.transaction(), PQTRANS_INTRANS);
    ASSERT_TRUE(client.Exec("set local work_mem = '7MB'").ok());
    ASSERT_TRUE(client.Exec("savepoint a").ok());
    Insert(client, symbol);
    EXPECT_EQ(client.Value("show work_mem"), "7MB");
    Insert(client, symbol, 2);
    ASSERT_TRUE(client.Exec("rollback to a").ok());
    Insert(client, symbol, 3);
    ASSERT_TRUE(client.Exec("commit").ok());
    EXPECT_EQ(client.transaction(), PQTRANS_IDLE);
    EXPECT_EQ(client.Value(fmt::format("select id from trades where symbol = '{}'", symbol)), "3");
    EXPECT_EQ(client.Value("show work_mem"), "4MB");
  }
}

TEST_F(Sharding, BeginsTransactionsWhereTheirFirstStatementBelongs) {
  const Connection client = Client();
  EXPECT_EQ(client.Exec("BEGIN").tag(), "BEGIN");
  EXPECT_EQ(client.transaction(), PQTRANS_INTRANS);
  EXPECT_EQ(client.Exec("COMMIT").tag(), "COMMIT");
  EXPECT_EQ(client.Exec("/* so */ start transaction isolation level serializable").tag(),
            "START TRANSACTION");
  EXPECT_EQ(client.Value("show transaction_isolation"), "serializable");
  EXPECT_EQ(client.Exec("rollback").tag(), "ROLLBACK");
  // What is refused fails the transaction.
  ASSERT_TRUE(client.Exec("begin").ok());
  EXPECT_EQ(client.Exec("select count(*) from trades").sqlstate(), "0A000");
  EXPECT_EQ(client.transaction(), PQTRANS_INERROR);
  EXPECT_EQ(client.Exec("insert into trades values (1, 'BTCUSDT', 1)").sqlstate(), "25P02");
  EXPECT_EQ(client.Exec("commit").tag(), "ROLLBACK");
  ASSERT_TRUE(client.Exec("begin").ok());
  EXPECT_EQ(client.ExecParams("update trades set price = 1", {}).sqlstate(), "0A000");
  EXPECT_EQ(client.transaction(), PQTRANS_INERROR);
  EXPECT_EQ(client.Exec("rollback").tag(), "ROLLBACK");
  // So does what the server refuses.
  ASSERT_TRUE(client.Exec("begin").ok());
  EXPECT_EQ(client.Exec("insert into trades values ('x', 'BTCUSDT', 1)").sqlstate(), "22P02");
  EXPECT_EQ(client.transaction(), PQTRANS_INERROR);
  EXPECT_EQ(client.Exec("rollback").tag(), "ROLLBACK");
  EXPECT_EQ(Count("btc"), "0");
  ASSERT_TRUE(client.Exec("begin").ok());
  EXPECT_TRUE(client.Exec("begin").ok());  // a warning
  EXPECT_TRUE(client.Exec("").ok());
  EXPECT_EQ(client.transaction(), PQTRANS_INTRANS);
  Insert(client, "ETHUSDT");
  EXPECT_EQ(client.Exec("end").tag(), "COMMIT");
  EXPECT_EQ(Count("eth"), "1");
}

TEST_F(Sharding, RefusesAnotherNodeWithinATransaction) {
  const Connection client = Client();
  ASSERT_TRUE(client.Exec("begin").ok());
  Insert(client, "BTCUSDT");
  EXPECT_EQ(client.Exec("insert into trades values (1, 'ETHUSDT', 1)").sqlstate(), "0A000");
  EXPECT_EQ(client.transaction(), PQTRANS_INERROR);
  EXPECT_EQ(client.Exec("select 1").sqlstate(), "25P02");
  EXPECT_EQ(client.Exec("commit").tag(), "ROLLBACK");
  EXPECT_EQ(Count("btc"), "0");
  // And by the extended protocol, after a savepoint.
  ASSERT_TRUE(client.Exec("begin").ok());
  Insert(client, "BTCUSDT");
  ASSERT_TRUE(client.Exec("savepoint a").ok());
  const char* const sql = "insert into trades values (1, $1, 1)";
  EXPECT_EQ(client.ExecParams(sql, {"ETHUSDT"}).sqlstate(), "0A000");
  ASSERT_TRUE(client.Exec("rollback to a").ok());
  EXPECT_EQ(client.ExecParams("select symbol from trades", {}).sqlstate(), "0A000");
  ASSERT_TRUE(client.Exec("rollback to a").ok());
  ASSERT_TRUE(client.ExecParams(sql, {"BTCEUR"}).ok());
  ASSERT_TRUE(client.Exec("commit").ok());
  EXPECT_EQ(Count("btc"), "2");
  EXPECT_EQ(Count("eth"), "0");
}

TEST_F(Sharding, ReadsOfReplicatedTablesGoBeforeTheNodeIsKnown) {
  const Connection client = Client();
  Insert(client, "XRPUSDT");
  ASSERT_TRUE(client.Exec("begin").ok());
  EXPECT_EQ(client.Value("select name from instruments where symbol = 'BTCUSDT'"), "Bitcoin");
  Insert(client, "BTCUSDT");
  ASSERT_TRUE(client.Exec("commit").ok());
  ASSERT_TRUE(client.Exec("begin isolation level repeatable read").ok());
  EXPECT_EQ(client.Value("select name from instruments where symbol = 'BTCUSDT'"), "Bitcoin");
  EXPECT_EQ(client.Exec("insert into trades values (1, 'ETHUSDT', 1)").sqlstate(), "0A000");
  ASSERT_TRUE(client.Exec("rollback").ok());
}

TEST_F(Sharding, KeepsWhatIsNotDividedOnOneNode) {
  const Connection client = Client();
  Insert(client, "BTCUSDT");
  ASSERT_TRUE(client.Exec("insert into orders (symbol, amount) values ('BTCUSDT', 2)").ok());
  EXPECT_EQ(client.Value("select nextval('numbers')"), "1");
  EXPECT_EQ(client.Value("select count(*) from pg_class where relname = 'orders'"), "1");
  EXPECT_EQ(client
                .Exec("select * from orders join trades using (symbol) "
                      "where symbol = 'BTCUSDT'")
                .sqlstate(),
            "0A000");
  Insert(client, "SOLUSDT");
  EXPECT_TRUE(client
                  .Exec("select * from orders join trades using (symbol) "
                        "where symbol = 'SOLUSDT'")
                  .ok());
}

TEST_F(Sharding, IsSteeredByCommentsAndSettings) {
  const Connection client = Client();
  const char* const where = "select current_database()";
  for (const std::string& node : Nodes()) {
    EXPECT_EQ(client.Value(fmt::format("{} /* pgweir: shard={} */", where, node)), node);
  }
  EXPECT_EQ(client.Value("/* pgweir: symbol=ETHW */ select current_database()"), "xrp");
  EXPECT_EQ(client.Exec("select 1 /* pgweir: shard=nowhere */").sqlstate(), "22023");
  EXPECT_EQ(client.Exec("select 1 /* pgweir: shrad=btc */").sqlstate(), "22023");
  EXPECT_EQ(
      client.Exec("insert into trades values (1, 'BTCUSDT', 1) /* pgweir: shard=eth */").sqlstate(),
      "0A000");
  EXPECT_EQ(client.Value("select count(*) from trades /* pgweir: shard=eth */"), "0");
  ASSERT_TRUE(client.Exec("set pgweir.shard = 'eth'").ok());
  EXPECT_EQ(client.Value(where), "eth");
  EXPECT_EQ(client.ExecParams("select count(*) from trades", {}).Value(), "0");
  EXPECT_EQ(client.Value(fmt::format("{} /* pgweir: shard=xrp */", where)), "xrp");
  ASSERT_TRUE(client.Exec("reset pgweir.shard").ok());
  ASSERT_TRUE(client.Exec("begin; set local pgweir.symbol to 'XRPUSDT'").ok());
  EXPECT_EQ(client.Value(where), "xrp");
  ASSERT_TRUE(client.Exec("commit").ok());
  ASSERT_TRUE(client.Exec("begin").ok());
  ASSERT_TRUE(client.Exec("set local pgweir.symbol to 'BTCUSDT'").ok());
  EXPECT_EQ(client.Value(where), "btc");
  ASSERT_TRUE(client.Exec("commit").ok());
}

TEST_F(Sharding, RefusesBatchesOverSeveralNodes) {
  const Connection client = Client();
  ASSERT_EQ(PQenterPipelineMode(client.get()), 1);
  const char* const sql = "insert into trades values (1, $1, 1)";
  for (const char* symbol : {"BTCUSDT", "ETHUSDT"}) {
    const char* const values[] = {symbol};
    ASSERT_EQ(PQsendQueryParams(client.get(), sql, 1, nullptr, values, nullptr, nullptr, 0), 1);
  }
  ASSERT_EQ(PQpipelineSync(client.get()), 1);
  const auto first = client.Next();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->sqlstate(), "0A000");
  while (client.Next().has_value()) {
  }
  while (true) {
    const auto next = client.Next();
    if (next.has_value() && next->status() == PGRES_PIPELINE_SYNC) break;
  }
  ASSERT_EQ(PQexitPipelineMode(client.get()), 1);
  EXPECT_EQ(Count("btc"), "0");
  EXPECT_EQ(client.Value("select 1"), "1");
}

// Longer than what is gathered: it goes in parts.
TEST_F(Sharding, CarriesLongBatches) {
  const Connection client = Client();
  constexpr int kRows = 2000;
  const std::string padding(100, 'x');
  const std::string sql = "/* " + padding + " */ insert into trades values ($2, $1, 1)";
  ASSERT_EQ(PQenterPipelineMode(client.get()), 1);
  const auto send = [&](int rows, const char* last) {
    for (int i = 0; i < rows; ++i) {
      const std::string id = std::to_string(i);
      const char* const values[] = {i == rows - 1 ? last : "ETHUSDT", id.c_str()};
      ASSERT_EQ(
          PQsendQueryParams(client.get(), sql.c_str(), 2, nullptr, values, nullptr, nullptr, 0), 1);
    }
    ASSERT_EQ(PQpipelineSync(client.get()), 1);
  };
  const auto read = [&](int& done, std::string& state) {
    while (true) {
      const auto next = client.Next();
      if (!next.has_value()) continue;
      if (next->status() == PGRES_PIPELINE_SYNC) return;
      if (next->ok()) ++done;
      if (state.empty()) state = next->sqlstate();
    }
  };
  int done = 0;
  std::string state;
  send(kRows, "ETHEUR");
  read(done, state);
  EXPECT_EQ(done, kRows) << state;
  EXPECT_EQ(Count("eth"), std::to_string(kRows));
  // The last of them belongs elsewhere: none is done.
  At("eth", "truncate trades");
  done = 0;
  send(kRows, "BTCUSDT");
  read(done, state);
  EXPECT_EQ(state, "0A000");
  EXPECT_EQ(Count("eth"), "0");
  ASSERT_EQ(PQexitPipelineMode(client.get()), 1);
  EXPECT_EQ(client.Value("select 1"), "1");
}

TEST_F(Sharding, CarriesPipelinesWithASyncEach) {
  const Connection client = Client();
  ASSERT_EQ(PQenterPipelineMode(client.get()), 1);
  const char* const sql = "insert into trades values ($2, $1, 1)";
  const std::vector<const char*> symbols = {"BTCUSDT", "ETHUSDT", "XRPUSDT", "SOLUSDT"};
  constexpr int kRounds = 25;
  for (int i = 0; i < kRounds; ++i) {
    for (const char* symbol : symbols) {
      const std::string id = std::to_string(i);
      const char* const values[] = {symbol, id.c_str()};
      ASSERT_EQ(PQsendQueryParams(client.get(), sql, 2, nullptr, values, nullptr, nullptr, 0), 1);
      ASSERT_EQ(PQpipelineSync(client.get()), 1);
    }
  }
  int done = 0;
  int synced = 0;
  while (synced < kRounds * 4) {
    const auto next = client.Next();
    if (!next.has_value()) continue;
    if (next->status() == PGRES_PIPELINE_SYNC) {
      ++synced;
    } else {
      ASSERT_TRUE(next->ok()) << next->message();
      ++done;
    }
  }
  EXPECT_EQ(done, kRounds * 4);
  for (const std::string& node : Nodes()) EXPECT_EQ(Count(node), std::to_string(kRounds));
}

TEST_F(Sharding, CopiesOneShardsRows) {
  const Connection client = Client();
  Insert(client, "BTCUSDT");
  EXPECT_EQ(client.Exec("copy trades from stdin").sqlstate(), "0A000");
  client.Send("copy trades (id, symbol) from stdin /* pgweir: shard=eth */");
  const auto begun = client.Next();
  ASSERT_TRUE(begun.has_value());
  ASSERT_EQ(begun->status(), PGRES_COPY_IN) << begun->message();
  for (int i = 0; i < 2000; ++i) {
    const std::string row = fmt::format("{}\tETHUSDT\n", i);
    ASSERT_EQ(PQputCopyData(client.get(), row.data(), static_cast<int>(row.size())), 1);
  }
  ASSERT_EQ(PQputCopyEnd(client.get(), nullptr), 1);
  EXPECT_EQ(client.Next()->tag(), "COPY 2000");
  EXPECT_FALSE(client.Next().has_value());
  EXPECT_EQ(Count("eth"), "2000");
  EXPECT_EQ(client.Value("select id from trades where symbol = 'BTCUSDT'"), "1");
}

TEST_F(Sharding, ReadsAMapAnew) {
  PgweirOptions options = Options();
  options.files = {{"shards.toml", Map()}};
  PgweirProcess process(options);
  const Connection client(process.Conninfo("postgres", "market"));
  const char* const where = "select current_database() /* pgweir: symbol=SOLUSDT */";
  EXPECT_EQ(client.Value(where), "rest");
  options.files[0].second.insert(options.files[0].second.find("\"*\""), "\"SOL*\" = \"xrp\"\n");
  options.port = process.port();
  process.Rewrite(options);
  ASSERT_TRUE(process.Reload());
  EXPECT_EQ(client.Value(where), "xrp");
  // A map that is not sound leaves the old one serving.
  options.files[0].second.insert(0, "nonsense\n");
  process.Rewrite(options);
  ASSERT_TRUE(process.Reload("reload failed"));
  EXPECT_EQ(client.Value(where), "xrp");
}

TEST_F(Sharding, SaysWhatDoesNotSuitTheMap) {
  server().Query("alter table candles add column extra int", "eth");
  server().Query("create unique index by_id on trades (id)", "xrp");
  const auto process = StartPgweir();
  EXPECT_TRUE(process->WaitLog("4 nodes looked at"));
  server().Query("alter table candles drop column extra", "eth");
  server().Query("drop index by_id", "xrp");
  const std::string log = process->log();
  EXPECT_NE(log.find("\"extra\""), std::string::npos) << log;
  EXPECT_NE(log.find("\"by_id\""), std::string::npos) << log;
}

// No login is known, or one that the nodes refuse, before a client comes.
TEST_F(Sharding, SaysItWithTheFirstClientsLoginElse) {
  for (const auto& [users, before] :
       {std::pair("\"nobody\" \"secret\"\n", "the tables are looked at when a client comes"),
        std::pair("\"nobody\" \"SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy\"\n", "serving")}) {
    PgweirOptions options = Options();
    options.files = {{"shards.toml", Map()}};
    options.users = users;
    PgweirProcess process(options);
    EXPECT_TRUE(process.WaitLog(before));
    EXPECT_FALSE(process.WaitLog("nodes looked at", std::chrono::milliseconds(50)));
    const Connection client(process.Conninfo("postgres", "market"));
    EXPECT_EQ(client.Value("select 1"), "1");
    EXPECT_TRUE(process.WaitLog("4 nodes looked at"));
  }
}

// --- the schema of all nodes ---

class ShardingSchema : public Sharding {
 protected:
  void TearDown() override {
    for (const std::string& node : Nodes()) {
      server().Query("alter table trades drop column if exists note", node);
      server().Query("drop index if exists by_price", node);
    }
    Sharding::TearDown();
  }
  static std::string HasNote(std::string_view node) {
    return At(node,
              "select count(*) from pg_attribute where attrelid = 'trades'::regclass and "
              "attname = 'note' and not attisdropped");
  }
};

TEST_F(ShardingSchema, IsChangedOnEveryNode) {
  const Connection client = Client();
  const Result altered = client.Exec("alter table trades add column note text");
  EXPECT_EQ(altered.tag(), "ALTER TABLE") << altered.message();
  for (const std::string& node : Nodes()) EXPECT_EQ(HasNote(node), "1") << node;
  EXPECT_TRUE(client.ExecParams("alter table trades drop column note", {}).ok());
  for (const std::string& node : Nodes()) EXPECT_EQ(HasNote(node), "0") << node;
  const Result prepared(
      PQprepare(client.get(), "add", "alter table trades add column note text", 0, nullptr));
  ASSERT_TRUE(prepared.ok());
  ASSERT_TRUE(Result(PQexecPrepared(client.get(), "add", 0, nullptr, nullptr, nullptr, 0)).ok());
  for (const std::string& node : Nodes()) EXPECT_EQ(HasNote(node), "1") << node;
  Insert(client, "BTCUSDT");
}

TEST_F(ShardingSchema, IsChangedEverywhereOrNowhere) {
  const Connection client = Client();
  server().Query("alter table trades add column note int", "xrp");
  const Result refused = client.Exec("alter table trades add column note text");
  EXPECT_EQ(refused.sqlstate(), "42701");
  EXPECT_NE(refused.message().find("(on the node xrp; nothing is changed on any node)"),
            std::string::npos)
      << refused.message();
  for (const char* node : {"btc", "eth", "rest"}) EXPECT_EQ(HasNote(node), "0") << node;
  EXPECT_EQ(client.Value("select 1"), "1");
}

TEST_F(ShardingSchema, IsChangedOneByOneWhereNoTransactionMayBe) {
  const Connection client = Client();
  ASSERT_TRUE(client.Exec("create index concurrently by_price on trades (price)").ok());
  for (const std::string& node : Nodes()) {
    EXPECT_EQ(At(node, "select count(*) from pg_class where relname = 'by_price'"), "1");
  }
  server().Query("drop index by_price", "eth");
  const Result refused = client.Exec("drop index concurrently by_price");
  EXPECT_EQ(refused.sqlstate(), "42704");
  EXPECT_NE(refused.message().find("(on the node eth; it is done on btc, and on no other)"),
            std::string::npos)
      << refused.message();
  EXPECT_TRUE(client.Exec("vacuum trades").ok());
}

TEST_F(ShardingSchema, IsLeftAloneByWhatIsNotDivided) {
  const Connection client = Client();
  ASSERT_TRUE(client.Exec("create table only_here (n int)").ok());
  EXPECT_EQ(At("rest", "select count(*) from pg_class where relname = 'only_here'"), "1");
  EXPECT_EQ(At("btc", "select count(*) from pg_class where relname = 'only_here'"), "0");
  ASSERT_TRUE(client.Exec("drop table only_here").ok());
  ASSERT_TRUE(client.Exec("begin").ok());
  EXPECT_EQ(client.Exec("alter table trades add column note text").sqlstate(), "0A000");
  ASSERT_TRUE(client.Exec("rollback").ok());
}

TEST_F(ShardingSchema, IsNotChangedWhenTheClientCancels) {
  const Connection client = Client();
  const Connection blocker(server().Conninfo("postgres", "eth"));
  ASSERT_TRUE(blocker.Exec("begin; lock table trades").ok());
  client.Send("alter table trades add column note text");
  ASSERT_FALSE(client.Ready(300));
  EXPECT_EQ(client.Cancel(), "");
  ASSERT_TRUE(client.Ready(5000));
  EXPECT_EQ(client.Next()->sqlstate(), "57014");
  EXPECT_FALSE(client.Next().has_value());
  ASSERT_TRUE(blocker.Exec("rollback").ok());
  for (const std::string& node : Nodes()) EXPECT_EQ(HasNote(node), "0") << node;
  EXPECT_EQ(client.Value("select 1"), "1");
}

}  // namespace
}  // namespace pgweir::test
