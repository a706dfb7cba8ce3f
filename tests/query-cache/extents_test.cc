#include "query-cache/extents.h"

#include <gtest/gtest.h>

#include "tests/router/routed.h"

namespace pgweir::cache {
namespace {

using router::test::Routed;

const DatabaseId kMarket = DatabaseOf("market");

class Extents : public testing::Test {
 protected:
  Extent Of(std::string_view sql, bool writes = false) {
    router::StatementCache statements;
    const router::FactsRef facts = statements.Find(sql);
    const router::StatementFacts& statement = facts->statements.at(0);
    const router::Catalog& catalog = *routed_.catalog();
    const router::TouchedTables touched =
        writes ? router::TablesWritten(statement, catalog) : router::TablesRead(statement, catalog);
    return ExtentOf(kMarket, touched, catalog, statement, routed_.SymbolsOf(sql));
  }
  // Whether an answer to the read is outdated by the write.
  bool Outdates(std::string_view write, std::string_view read) {
    Versions versions;
    const Reading reading = versions.Read(Of(read));
    EXPECT_TRUE(versions.Holds(reading)) << read;
    versions.Bump(Of(write, true));
    return !versions.Holds(reading);
  }

  Routed routed_;
};

TEST_F(Extents, AreSymbolsOfShardedTables) {
  const std::string_view btc = "SELECT * FROM trades WHERE symbol = 'BTCUSDT'";
  EXPECT_TRUE(Outdates("UPDATE trades SET price = 1 WHERE symbol = 'BTCUSDT'", btc));
  EXPECT_TRUE(Outdates("INSERT INTO trades (id, symbol) VALUES (1, 'BTCUSDT')", btc));
  EXPECT_TRUE(Outdates("DELETE FROM trades WHERE symbol IN ('ETHUSDT', 'BTCUSDT')", btc));
  EXPECT_TRUE(Outdates("UPDATE trades SET price = 1", btc));
  EXPECT_FALSE(Outdates("UPDATE trades SET price = 1 WHERE symbol = 'ETHUSDT'", btc));
  EXPECT_FALSE(Outdates("UPDATE candles SET high = 1 WHERE symbol = 'BTCUSDT'", btc));
  const std::string_view all = "SELECT * FROM trades";
  EXPECT_TRUE(Outdates("UPDATE trades SET price = 1 WHERE symbol = 'ETHUSDT'", all));
}

// Situation 17.
TEST_F(Extents, OfPartitionsAreThoseOfTheirTable) {
  const std::string_view partition = "SELECT * FROM trades_2024";
  EXPECT_TRUE(Outdates("UPDATE trades SET price = 1 WHERE symbol = 'BTCUSDT'", partition));
  EXPECT_TRUE(Outdates("UPDATE trades_2024 SET price = 1 WHERE symbol = 'BTCUSDT'",
                       "SELECT * FROM trades WHERE symbol = 'BTCUSDT'"));
}

TEST_F(Extents, AreWholeTablesElsewhere) {
  EXPECT_TRUE(Outdates("UPDATE orders SET id = 1 WHERE symbol = 'A'",
                       "SELECT * FROM orders WHERE symbol = 'B'"));
  EXPECT_FALSE(Outdates("UPDATE orders SET id = 1", "SELECT * FROM instruments"));
  EXPECT_TRUE(Of("DO $$ BEGIN END $$", true).unknown);
  EXPECT_TRUE(Outdates("DO $$ BEGIN END $$", "SELECT * FROM instruments"));
}

TEST_F(Extents, Unite) {
  Extent extent{kMarket, {}, false};
  Unite(extent, Of("UPDATE orders SET id = 1", true));
  Unite(extent, Of("UPDATE trades SET price = 1 WHERE symbol = 'BTCUSDT'", true));
  EXPECT_FALSE(extent.unknown);
  EXPECT_GE(extent.tables.size(), 2u);
  Unite(extent, Of("CALL p()", true));
  EXPECT_TRUE(extent.unknown);
}

}  // namespace
}  // namespace pgweir::cache
