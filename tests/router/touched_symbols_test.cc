#include "router/touched_symbols.h"

#include <gtest/gtest.h>

#include "tests/router/routed.h"

namespace pgweir::router {
namespace {

using test::Text;

// "trades: BTCUSDT ETHUSDT; candles: *"
std::string Shown(const std::vector<TouchedSymbols>& tables) {
  std::string text;
  for (const TouchedSymbols& table : tables) {
    text += (text.empty() ? "" : "; ") + table.table + ":";
    if (table.any) text += " *";
    for (const std::string& symbol : table.symbols) text += table.any ? "" : " " + symbol;
  }
  return text;
}

TEST(TouchedSymbols, AreThoseThatTheConditionsName) {
  test::Routed routed;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"SELECT * FROM trades WHERE symbol = 'BTCUSDT'", "trades: BTCUSDT"},
      {"SELECT * FROM trades WHERE symbol = 'BTCUSDT' AND price > 1", "trades: BTCUSDT"},
      {"SELECT * FROM trades WHERE symbol IN ('ETHUSDT', 'BTCUSDT')", "trades: BTCUSDT ETHUSDT"},
      {"UPDATE trades SET price = 1 WHERE symbol = 'BTCUSDT'", "trades: BTCUSDT"},
      {"DELETE FROM trades WHERE symbol = 'BTCUSDT'", "trades: BTCUSDT"},
      {"INSERT INTO trades (id, symbol) VALUES (1, 'BTCUSDT'), (2, 'BTCEUR')",
       "trades: BTCEUR BTCUSDT"},
      {"SELECT * FROM trades t, candles c WHERE t.symbol = 'BTCUSDT' AND c.symbol = 'BTCUSDT'",
       "trades: BTCUSDT; candles: BTCUSDT"},
      {"SELECT * FROM trades", "trades: *"},
      {"SELECT * FROM trades WHERE price > 1", "trades: *"},
      {"SELECT * FROM trades WHERE symbol LIKE 'BTC%'", "trades: *"},
      {"SELECT * FROM trades WHERE symbol > 'BTCUSDT'", "trades: *"},
      {"SELECT * FROM trades WHERE symbol <> 'BTCUSDT'", "trades: *"},
      {"SELECT * FROM trades WHERE symbol = 'BTCUSDT' OR price > 1", "trades: *"},
      {"SELECT * FROM trades WHERE symbol = upper('btcusdt')", "trades: *"},
      {"UPDATE trades SET price = 1", "trades: *"},
      {"SELECT * FROM orders", ""},
      {"SELECT * FROM instruments", ""},
  };
  for (const auto& [sql, expected] : cases)
    EXPECT_EQ(Shown(routed.SymbolsOf(sql)), expected) << sql;
}

TEST(TouchedSymbols, AreReadFromParameters) {
  test::Routed routed;
  const std::string_view sql = "SELECT * FROM trades WHERE symbol = $1";
  EXPECT_EQ(Shown(routed.SymbolsOf(sql, {Text("ETHUSDT")})), "trades: ETHUSDT");
  EXPECT_EQ(Shown(routed.SymbolsOf(sql, {})), "trades: *");
  EXPECT_EQ(
      Shown(routed.SymbolsOf("INSERT INTO trades (id, symbol) VALUES (1, $1)", {Text("ETHUSDT")})),
      "trades: ETHUSDT");
}

// A row that goes from one symbol to another concerns both; where that isn't known, all.
TEST(TouchedSymbols, AreNeverFewerThanThoseThatChange) {
  test::Routed routed;
  const std::string text =
      Shown(routed.SymbolsOf("UPDATE trades SET symbol = 'BTCEUR' WHERE symbol = 'BTCUSDT'"));
  EXPECT_TRUE(text == "trades: *" || text == "trades: BTCEUR BTCUSDT") << text;
}

TEST(TouchedSymbols, AreListedUpToANumber) {
  test::Routed routed;
  std::string sql = "SELECT * FROM trades WHERE symbol IN ('S0'";
  for (int i = 1; i < 16; ++i) sql += ", 'S" + std::to_string(i) + "'";
  EXPECT_FALSE(routed.SymbolsOf(sql + ")").at(0).any);
  EXPECT_TRUE(routed.SymbolsOf(sql + ", 'S16')").at(0).any);
}

TEST(TouchedSymbols, OfASetThatIsNoListCannotBeListed) {
  std::vector<std::string> symbols;
  EXPECT_FALSE(ListSymbols(SymbolSet::All(), 5, symbols));
  EXPECT_TRUE(symbols.empty());
}

}  // namespace
}  // namespace pgweir::router
