// What sharding proxies have been caught at, by the numbers of a list: each statement is answered
// from all the rows that it is about, or refused, and never from some of them.

#include <array>

#include "fmt/format.h"
#include "tests/support/four_shards.h"

namespace pgweir::test {
namespace {

class RoutingTraps : public FourShards {
 protected:
  void SetUp() override {
    FourShards::SetUp();
    client_ = std::make_unique<Connection>(Conninfo());
    for (const char* symbol : {"BTCUSDT", "ETHUSDT", "XRPUSDT", "SOLUSDT"}) {
      const Result result =
          client_->Exec(fmt::format("insert into trades values (1, '{}', 1.5)", symbol));
      ASSERT_TRUE(result.ok()) << result.message();
    }
  }
  void TearDown() override {
    client_.reset();
    FourShards::TearDown();
  }

  // How many rows, or the SQLSTATE.
  std::string Rows(std::string_view sql, const std::vector<std::string>& parameters = {}) const {
    const Result result =
        parameters.empty() ? client_->Exec(sql) : client_->ExecParams(sql, parameters);
    return result.ok() ? std::to_string(result.rows()) : result.sqlstate();
  }
  void Expect(std::initializer_list<std::pair<const char*, const char*>> cases) const {
    for (const auto& [sql, rows] : cases) EXPECT_EQ(Rows(sql), rows) << sql;
  }
  // Of all nodes together.
  static int Held(std::string_view table, std::string_view where = "true") {
    int rows = 0;
    for (const std::string& node : Nodes()) {
      rows += std::stoi(At(node, fmt::format("select count(*) from {} where {}", table, where)));
    }
    return rows;
  }

  std::unique_ptr<Connection> client_;
};

TEST_F(RoutingTraps, Trap10WhatIsNotUnderstoodIsNoReasonToGoAnywhere) {
  Expect({{"select from where trades", "0A000"},
          {"frobnicate \"candles\"", "0A000"},
          {"selec 1", "42601"}});
}

TEST_F(RoutingTraps, Trap13SeveralKeysAreAllOfTheirShards) {
  Expect({{"select * from trades where symbol in ('BTCUSDT', 'XRPUSDT')", "2"},
          {"select * from trades where symbol = 'BTCUSDT' or symbol = 'SOLUSDT'", "2"},
          {"select * from trades where (symbol, id) in (('ETHUSDT', 1), ('XRPUSDT', 2))", "1"},
          {"update trades set price = 2 where symbol in ('BTCUSDT', 'XRPUSDT')", "0A000"}});
  const char* const any = "select * from trades where symbol = any ($1)";
  EXPECT_EQ(Rows(any, {"{BTCUSDT,ETHUSDT,nothing}"}), "2");
  EXPECT_EQ(Rows(any, {"{SOLUSDT,XRPUSDT,ETHUSDT,BTCUSDT}"}), "4");
  EXPECT_EQ(Rows(any, {"{}"}), "0");
  EXPECT_EQ(Held("trades", "price = 2"), 0);
}

TEST_F(RoutingTraps, Trap14KeyCountsOnlyWhereItFilters) {
  Expect({{"select symbol = 'BTCUSDT', symbol from trades", "4"},
          {"select * from trades where id + 1 = 2", "4"},
          {"select * from trades where symbol >= 'BTCUSDT'", "4"},
          {"select * from trades where symbol = 'BTCUSDT' or price > 1", "4"},
          {"select * from trades where not symbol = 'BTCUSDT'", "3"},
          {"select * from trades where symbol || '' = 'BTCUSDT'", "1"},
          {"select * from trades where symbol = 'BTC' || 'USDT'", "1"},
          {"select * from trades where (symbol = 'BTCUSDT') is not true", "3"},
          {"select * from trades t left join candles c on c.symbol = t.symbol and t.symbol = "
           "'BTCUSDT'",
           "4"},
          {"select * from trades t where exists (select from candles c where c.symbol = 'BTCUSDT')",
           "0A000"},
          {"select (select max(id) from trades where symbol = 'BTCUSDT') from trades", "0A000"},
          {"select id from trades where symbol = 'BTCUSDT' union select id from trades where "
           "symbol = 'ETHUSDT'",
           "0A000"},
          {"select id from trades where symbol = 'BTCUSDT' union all select id from trades where "
           "symbol = 'ETHUSDT'",
           "2"}});
  EXPECT_EQ(
      Rows("select * from trades where symbol = ($1::jsonb ->> 'k')", {"{\"k\": \"ETHUSDT\"}"}),
      "1");
}

TEST_F(RoutingTraps, Trap15KeyThatIsNullOrMissingIsNoReasonToGuess) {
  Expect({{"insert into trades (id, symbol) values (2, null)", "0A000"},
          {"insert into trades (id) values (2)", "0A000"},
          {"insert into trades (id, symbol) values (2, default)", "0A000"},
          {"select * from trades where symbol = null", "0"},
          {"delete from trades", "0A000"},
          {"delete from trades where symbol is null", "0A000"}});
  const Result null(PQexecParams(client_->get(), "insert into trades (id, symbol) values (2, $1)",
                                 1, nullptr, std::array<const char*, 1>{nullptr}.data(), nullptr,
                                 nullptr, 0));
  EXPECT_EQ(null.sqlstate(), "0A000");
  EXPECT_EQ(Held("trades"), 4);
  // One that no pattern names has a place all the same, and only one.
  EXPECT_EQ(client_->Exec("insert into trades (id, symbol) values (2, '')").tag(), "INSERT 0 1");
  EXPECT_EQ(Held("trades"), 5);
  EXPECT_EQ(At("rest", "select count(*) from trades where symbol = ''"), "1");
}

TEST_F(RoutingTraps, Trap16RowsOfAnInsertAreNotInsertedTwice) {
  Expect({{"insert into trades (id, symbol) values (2, 'BTCUSDT'), (2, 'ETHUSDT')", "0A000"}});
  EXPECT_EQ(Held("trades"), 4);
  EXPECT_EQ(client_->Exec("insert into trades (id, symbol) values (2, 'BTC'), (2, 'BTCEUR')").tag(),
            "INSERT 0 2");
  EXPECT_EQ(Held("trades"), 6);
}

TEST_F(RoutingTraps, Trap17HintsAskTheSameMap) {
  const auto at = [&](std::string_view symbol) {
    return client_->Value(fmt::format("select current_database() /* pgweir: symbol={} */", symbol));
  };
  for (const auto& [symbol, quoted] :
       {std::pair("ETHW", "ETHW"), std::pair("ETHWX", "ETHWX"), std::pair("eth", "eth"),
        std::pair("BTC,1", "'BTC,1'"), std::pair("XRP''s", "'XRP''s'")}) {
    EXPECT_EQ(at(quoted), client_->Value(fmt::format(
                              "insert into trades (id, symbol) values (7, '{}') returning "
                              "current_database()",
                              symbol)))
        << symbol;
  }
  Expect({{"select 1 /* pgweir: shard=0 */", "22023"}, {"set pgweir.shard = 'nowhere'", "0"}});
  EXPECT_EQ(Rows("select 1"), "22023");
  EXPECT_TRUE(client_->Exec("reset pgweir.shard").ok());
}

TEST_F(RoutingTraps, Trap18ReplicatedTablesDoNotDriftApart) {
  const int before = Held("instruments");
  Expect({{"insert into instruments values ('DOGE', 'Doge')", "0A000"},
          {"update instruments set name = ''", "0A000"},
          {"delete from instruments where symbol = 'BTCUSDT'", "0A000"},
          {"with d as (delete from instruments returning 1) select 1 from trades where symbol = "
           "'BTCUSDT'",
           "0A000"},
          {"copy instruments from stdin", "0A000"}});
  ASSERT_TRUE(client_->Exec("begin").ok());
  ASSERT_TRUE(client_->Exec("update trades set price = 3 where symbol = 'BTCUSDT'").ok());
  Expect({{"delete from instruments", "0A000"}});
  EXPECT_EQ(client_->Exec("commit").tag(), "ROLLBACK");
  EXPECT_EQ(Held("instruments", "name <> ''"), before);
  // Nor are their rows counted as often as they are held.
  EXPECT_EQ(client_->Value("select count(*) from instruments"), std::to_string(before / 4));
}

TEST_F(RoutingTraps, Traps19To21WhatIsMadeOfAllRowsIsRefused) {
  Expect({{"select id from trades order by price", "0A000"},
          {"select id from trades offset 1", "0A000"},
          {"select id from trades limit 1", "0A000"},
          {"select count(*) from trades", "0A000"},
          {"select price, count(*) from trades group by price having count(*) > 1", "0A000"},
          {"select distinct price from trades", "0A000"},
          {"select symbol, max(price) from trades group by symbol", "4"},
          {"select * from trades a, trades b", "0A000"},
          {"select * from trades a join trades b on a.price = b.price", "0A000"},
          {"select * from trades a join trades b using (symbol)", "4"}});
}

}  // namespace
}  // namespace pgweir::test
