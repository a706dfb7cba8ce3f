#include <gmock/gmock.h>

#include "router/text_types.h"
#include "tests/router/routed.h"

namespace pgweir::router {
namespace {

using test::Null;
using test::Text;

constexpr const char* kAll = "btc+eth+xrp+rest";

class Routing : public testing::Test {
 protected:
  std::string Where(std::string_view sql, const std::vector<BoundParameter>& parameters = {}) {
    return routed_.Where(sql, parameters);
  }
  void Expect(std::initializer_list<std::pair<const char*, const char*>> cases) {
    for (const auto& [sql, where] : cases) EXPECT_EQ(Where(sql), where) << sql;
  }
  // Whether it is refused, with this in the message.
  void ExpectRefused(std::initializer_list<std::pair<const char*, const char*>> cases) {
    for (const auto& [sql, part] : cases) {
      const Plan plan = routed_.PlanOf(sql);
      EXPECT_EQ(plan.kind, Plan::Kind::kReject) << sql << ": " << Where(sql);
      EXPECT_STREQ(plan.sqlstate, "0A000");
      EXPECT_THAT(plan.message, testing::HasSubstr(part)) << sql;
      EXPECT_FALSE(plan.hint.empty()) << sql;
    }
  }

  test::Routed routed_;
};

TEST_F(Routing, ByOneSymbol) {
  Expect(
      {{"SELECT * FROM trades WHERE symbol = 'BTCUSDT'", "btc"},
       {"SELECT * FROM trades t WHERE t.symbol = 'ETHUSDT' AND price > 3", "eth"},
       {"SELECT * FROM trades WHERE 'XRP' = symbol", "xrp"},
       {"SELECT * FROM public.trades WHERE public.trades.symbol = 'ETHW'", "xrp"},
       {"SELECT * FROM trades WHERE symbol = 'BTC'::text", "btc"},
       {"SELECT * FROM trades WHERE symbol = E'BT\\103'", "btc"},
       {"SELECT * FROM candles c WHERE (c.symbol)::text = 'BTC'::text", "btc"},
       {"SELECT * FROM candles WHERE (symbol)::text = ANY ((ARRAY['BTC'::character "
        "varying])::text[])",
        "btc"},
       {"SELECT * FROM trades WHERE symbol = 'it''s'", "rest"},
       {"SELECT * FROM trades WHERE symbol = NULL", "any"},
       {"SELECT * FROM trades WHERE symbol = 'BTC' AND symbol = 'ETH'", "any"},
       {"SELECT * FROM trades_2024 WHERE symbol = 'BTC'", "btc"},
       {"SELECT count(*), max(price) FROM trades WHERE symbol = 'BTC' ORDER BY 1 LIMIT 1", "btc"},
       {"SELECT * FROM trades WHERE symbol = 'BTC' FOR UPDATE", "btc"},
       {"TABLE trades", kAll}});
}

TEST_F(Routing, ByParameters) {
  const char* const sql = "SELECT * FROM trades WHERE symbol = $1";
  EXPECT_EQ(Where(sql, {Text("BTC")}), "btc");
  EXPECT_EQ(Where(sql, {Text("ETH", kVarcharOid)}), "eth");
  EXPECT_EQ(Where(sql, {{false, true, kTextOid, "XRPUSDT"}}), "xrp");
  EXPECT_EQ(Where(sql, {Null()}), "any");
  EXPECT_EQ(Where(sql), kAll);
  // An integer's text is the server's to write.
  EXPECT_EQ(Where("SELECT * FROM trades WHERE symbol = $1::text", {Text("05", 23)}), kAll);
  EXPECT_EQ(Where("SELECT * FROM trades WHERE symbol = $1::text", {Text("BTC")}), "btc");
  EXPECT_EQ(Where("SELECT * FROM trades WHERE id = $1 AND symbol = $1::text", {Text("05")}), kAll);
  EXPECT_EQ(Where("SELECT * FROM trades WHERE symbol = $1", {Text("BTC ", kBpcharOid)}), kAll);
}

// Trap 13: several keys are a set of shards, never a choice.
TEST_F(Routing, Trap13ListsAreTheUnionOfTheirShards) {
  Expect({{"SELECT * FROM trades WHERE symbol IN ('BTC', 'ETH')", "btc+eth"},
          {"SELECT * FROM trades WHERE symbol IN ('BTC1', 'BTC2')", "btc"},
          {"SELECT * FROM trades WHERE symbol = ANY (ARRAY['BTC', 'XRP'])", "btc+xrp"},
          {"SELECT * FROM trades WHERE symbol = ANY ('{BTC,\"ETH\",NULL}')", "btc+eth"},
          {"SELECT * FROM trades WHERE symbol = ANY ('{BTC}'::text[])", "btc"},
          {"SELECT * FROM trades WHERE symbol = ANY ('{}')", "any"},
          {"SELECT * FROM trades WHERE symbol = 'BTC' OR symbol = 'ETH'", "btc+eth"},
          {"SELECT * FROM trades WHERE (symbol, id) IN (('BTC', 1), ('ETH', 2))", "btc+eth"},
          {"SELECT * FROM trades WHERE (symbol, id) = ('BTC', 1)", "btc"}});
  const char* const any = "SELECT * FROM trades WHERE symbol = ANY ($1)";
  EXPECT_EQ(Where(any, {Text("{BTC,ETH}", kTextArrayOid)}), "btc+eth");
  const std::string binary = EncodeTextArray({"XRP", std::nullopt, "BTC"}, kTextOid);
  EXPECT_EQ(Where(any, {{false, true, kTextArrayOid, binary}}), "btc+xrp");
  EXPECT_EQ(Where(any, {{false, true, kTextArrayOid, std::string_view(binary).substr(1)}}), kAll);
  EXPECT_EQ(Where(any, {Null()}), "any");
  EXPECT_EQ(Where("SELECT * FROM trades WHERE symbol <> ALL ($1)", {Text("{ETHW}")}), kAll);
}

TEST_F(Routing, AndOrNot) {
  Expect({{"SELECT * FROM trades WHERE symbol = 'BTC' OR price > 3", kAll},
          {"SELECT * FROM trades WHERE (symbol = 'BTC' AND id = 1) OR (symbol = 'ETH' AND id = 2)",
           "btc+eth"},
          {"SELECT * FROM trades WHERE NOT symbol = 'BTC'", kAll},
          {"SELECT * FROM trades WHERE NOT (symbol = 'BTC' AND price > 1)", kAll},
          {"SELECT * FROM trades WHERE NOT (symbol <> 'BTC' OR price > 1)", "btc"},
          {"SELECT * FROM trades WHERE NOT symbol NOT IN ('BTC')", "btc"},
          {"SELECT * FROM trades WHERE symbol LIKE 'BTC%' AND symbol <> 'BTC'", "btc"},
          {"SELECT * FROM trades WHERE symbol NOT LIKE 'BTC%'", "eth+xrp+rest"},
          {"SELECT * FROM trades WHERE symbol NOT LIKE 'BTC%X'", kAll},
          {"SELECT * FROM trades WHERE symbol NOT IN ('BTC', NULL)", "any"},
          {"SELECT * FROM trades WHERE symbol IS NULL", kAll},
          {"SELECT * FROM trades WHERE symbol = 'BTC' IS TRUE", kAll}});
}

TEST_F(Routing, ByPrefixAndRange) {
  Expect({{"SELECT * FROM trades WHERE symbol LIKE 'BTC%'", "btc"},
          {"SELECT * FROM trades WHERE symbol LIKE 'ETH%'", "eth+xrp"},
          {"SELECT * FROM trades WHERE symbol LIKE 'ETHX_'", "eth"},
          {"SELECT * FROM trades WHERE symbol LIKE 'BT%'", "btc+rest"},
          {"SELECT * FROM trades WHERE symbol LIKE '%BTC'", kAll},
          {"SELECT * FROM trades WHERE symbol LIKE 'BT\\CX'", "btc"},
          {"SELECT * FROM trades WHERE symbol LIKE 'BTC!%' ESCAPE '!'", kAll},
          {"SELECT * FROM trades WHERE symbol ILIKE 'BTC%'", kAll},
          {"SELECT * FROM trades WHERE symbol ^@ 'XRP'", "xrp"},
          {"SELECT * FROM trades WHERE starts_with(symbol, 'XRP')", "xrp"},
          {"SELECT * FROM trades WHERE symbol BETWEEN 'BTCA' AND 'BTCZ'", "btc"},
          {"SELECT * FROM trades WHERE symbol >= 'BTC' AND symbol < 'BTD'", "btc"},
          {"SELECT * FROM trades WHERE symbol < 'BTC'", "rest"},
          {"SELECT * FROM trades WHERE 'XRP' <= symbol", "xrp+rest"},
          {"SELECT * FROM trades WHERE symbol NOT BETWEEN 'A' AND 'Z'", "rest"},
          // Under another collation the order isn't that of the bytes; what they begin with is.
          {"SELECT * FROM candles WHERE symbol BETWEEN 'BTCA' AND 'BTCZ'", kAll},
          {"SELECT * FROM candles WHERE symbol LIKE 'BTC%'", "btc"},
          {"SELECT * FROM trades WHERE symbol < 'B' COLLATE \"de_DE\"", kAll}});
}

// So a transaction need not leave its node for them.
TEST_F(Routing, StatementsThatNoSymbolFitsAreCarriedOutAnywhere) {
  Expect({{"UPDATE trades SET price = 1 WHERE symbol = NULL", "any"},
          {"SELECT count(*) FROM trades WHERE symbol = 'BTC' AND symbol = 'ETH'", "any"},
          {"SELECT * FROM instruments i LEFT JOIN trades t ON t.symbol = NULL", "any"},
          // What they do besides has a place of its own.
          {"INSERT INTO trades SELECT 1, 'BTC' FROM candles WHERE symbol = NULL", "btc"},
          {"SELECT nextval('s') FROM trades WHERE symbol = NULL", "rest"},
          {"SELECT * FROM orders, trades WHERE trades.symbol = NULL", "rest"},
          {"CREATE TABLE x AS SELECT * FROM trades WHERE symbol = NULL", "rest"}});
}

TEST_F(Routing, TypesAndCollationsAreTheCatalogs) {
  Expect({{"SELECT * FROM padded WHERE symbol = 'BTC'", "btc"},
          {"SELECT * FROM padded WHERE symbol LIKE 'BTC  '", "btc"},
          // Equal whatever its blanks, so every spelling counts.
          {"SELECT * FROM padded WHERE symbol = 'ETHW '", "eth+xrp"},
          {"SELECT * FROM trades WHERE symbol = 'ETHW '", "eth"},
          // May be equal to symbols of other bytes.
          {"SELECT * FROM folded WHERE symbol = 'BTC'", kAll},
          {"SELECT * FROM numbered WHERE symbol = '5'", kAll},
          {"SELECT * FROM trades WHERE symbol = 'BTC'::char(2)", kAll},
          {"SELECT * FROM trades WHERE symbol = 'BTC'::varchar(2)", kAll},
          {"SELECT * FROM trades WHERE symbol = 5", kAll}});
}

// 'ETHW' as a char(n) equals the text 'ETHW ', which lies on another node, where that isn't kept
// as a text.
TEST_F(Routing, BlanksAtTheEndOfSymbolsAreNotForgotten) {
  ExpectRefused(
      {{"SELECT * FROM padded p JOIN candles c ON c.symbol = p.symbol", "joins"},
       {"SELECT * FROM padded p JOIN candles c USING (symbol)", "joins"},
       {"SELECT * FROM padded p JOIN candles c ON c.symbol = p.symbol WHERE p.symbol = "
        "'BTC'",
        "joins"},
       {"SELECT * FROM padded WHERE symbol IN (SELECT symbol FROM candles)", "within"},
       {"SELECT * FROM (SELECT symbol FROM padded UNION ALL SELECT symbol FROM candles) s "
        "WHERE symbol = 'ETHW'",
        "btc, eth, xrp, rest"},
       {"SELECT max(symbol) FROM padded p RIGHT JOIN candles c USING (symbol) WHERE "
        "symbol = 'ETHW'",
        "outer join"}});
  Expect({{"SELECT * FROM padded a JOIN padded b USING (symbol) WHERE a.symbol = 'BTC'", "btc"},
          {"SELECT * FROM padded p JOIN candles c USING (symbol) WHERE p.symbol = 'BTC' AND "
           "c.symbol = 'BTC'",
           "btc"},
          {"SELECT * FROM (SELECT symbol FROM instruments UNION ALL SELECT symbol FROM candles) s "
           "WHERE symbol = 'ETHW'",
           "xrp"},
          {"SELECT * FROM (SELECT symbol FROM padded UNION ALL SELECT symbol FROM trades) s WHERE "
           "symbol = 'BTC'",
           "btc"}});
  Expect({{"INSERT INTO padded (symbol) SELECT symbol FROM trades WHERE symbol = 'BTC '", "btc"},
          {"INSERT INTO padded (symbol) SELECT symbol FROM trades WHERE symbol LIKE 'BTC%'", "btc"},
          {"INSERT INTO trades (symbol) SELECT symbol FROM candles WHERE symbol = 'ETHW '", "eth"},
          {"INSERT INTO padded (symbol) SELECT symbol FROM trades WHERE symbol = NULL", "any"}});
  ExpectRefused(
      {{"INSERT INTO padded (symbol) SELECT symbol FROM trades WHERE symbol = 'ETHW '", "eth, xrp"},
       {"INSERT INTO padded (symbol) SELECT symbol FROM candles WHERE symbol > 'ETHW  ' AND symbol "
        "< 'ETHX'",
        "several shards"}});
  const char* const sql = "SELECT * FROM candles WHERE symbol = $1";
  EXPECT_EQ(Where(sql, {Text("ETHW", kBpcharOid)}), kAll);
  EXPECT_EQ(Where("SELECT * FROM padded WHERE symbol = $1", {Text("ETHW", kBpcharOid)}), "xrp");
  EXPECT_EQ(
      Where("SELECT * FROM candles WHERE symbol = ANY ($1)", {Text("{ETHW}", kBpcharArrayOid)}),
      kAll);
}

// Trap 14: a key counts only where it filters.
TEST_F(Routing, Trap14AKeyCountsOnlyWhereItFilters) {
  Expect({{"SELECT symbol = 'BTC', * FROM trades", kAll},
          {"SELECT * FROM trades WHERE id = $1", kAll},
          {"SELECT * FROM trades WHERE symbol || 'X' = 'BTC'", kAll},
          {"SELECT * FROM trades WHERE symbol = 'BT' || 'C'", kAll},
          {"SELECT * FROM trades WHERE symbol = ($1->>'k')", kAll},
          {"SELECT * FROM trades WHERE symbol = ($1->>'k')::text", kAll},
          {"SELECT * FROM trades WHERE upper(symbol) = 'BTC'", kAll},
          {"SELECT * FROM trades t LEFT JOIN candles c ON c.symbol = t.symbol AND t.symbol = 'BTC'",
           kAll},
          {"SELECT * FROM trades WHERE symbol > 'BTC' OR symbol = 'BTC'", kAll},
          {"SELECT * FROM trades t WHERE id = CASE WHEN symbol = 'BTC' THEN 1 ELSE 2 END", kAll}});
  ExpectRefused(
      {{"SELECT * FROM trades t WHERE EXISTS (SELECT 1 FROM candles c WHERE c.symbol = 'BTC')",
        "a query within it"},
       {"SELECT (SELECT max(high) FROM candles WHERE symbol = 'BTC') FROM trades", "within it"},
       {"SELECT * FROM trades t LEFT JOIN candles c ON t.symbol = 'BTC'", "outer join"},
       {"SELECT symbol FROM trades WHERE symbol = 'BTC' UNION SELECT symbol FROM trades WHERE "
        "symbol = 'ETH'",
        "UNION"}});
  Expect({{"SELECT * FROM trades WHERE symbol = 'BTC' UNION ALL SELECT * FROM trades WHERE symbol "
           "= 'ETH'",
           "btc+eth"},
          {"SELECT * FROM trades WHERE symbol = 'BTC1' UNION SELECT * FROM trades WHERE symbol = "
           "'BTC2'",
           "btc"}});
}

TEST_F(Routing, ThroughJoinsOnTheSymbol) {
  Expect(
      {{"SELECT * FROM trades t JOIN candles c ON c.symbol = t.symbol WHERE t.symbol = 'BTC'",
        "btc"},
       {"SELECT * FROM trades t JOIN candles c USING (symbol) WHERE symbol = 'ETH'", "eth"},
       {"SELECT * FROM instruments i JOIN trades t USING (symbol) WHERE symbol = 'ETH'", "eth"},
       {"SELECT * FROM trades t, candles c WHERE c.symbol = t.symbol AND c.symbol = 'ETH'", "eth"},
       {"SELECT * FROM trades t LEFT JOIN candles c ON c.symbol = t.symbol WHERE t.symbol = 'XRP'",
        "xrp"},
       {"SELECT * FROM trades t LEFT JOIN candles c ON c.symbol = 'XRP' WHERE t.symbol = 'XRP'",
        "xrp"},
       {"SELECT * FROM trades t JOIN candles c ON c.symbol = t.symbol", kAll},
       {"SELECT * FROM trades t LEFT JOIN candles c USING (symbol)", kAll},
       {"SELECT * FROM trades t JOIN instruments i ON i.symbol = t.symbol", kAll},
       {"SELECT * FROM trades t JOIN instruments i USING (symbol) WHERE i.name = 'x' AND t.symbol "
        "= "
        "'BTC'",
        "btc"},
       {"SELECT * FROM trades a, trades b WHERE a.symbol = 'BTC' AND b.symbol = 'BTC2'", "btc"},
       {"SELECT * FROM trades a NATURAL JOIN candles c WHERE a.symbol = 'BTC' AND c.symbol = 'BTC'",
        "btc"}});
  ExpectRefused(
      {{"SELECT * FROM trades t JOIN candles c ON c.opened = t.id", "joins sharded tables"},
       {"SELECT * FROM trades a, candles c WHERE a.symbol = 'BTC' AND c.symbol = 'ETH'", "joins"},
       {"SELECT * FROM trades a NATURAL JOIN candles c", "joins"},
       {"SELECT * FROM trades a NATURAL JOIN candles c WHERE symbol = 'BTC'", "joins"},
       {"SELECT * FROM (trades a JOIN candles c ON a.id = c.opened) AS j WHERE a.symbol = 'BTC' "
        "AND c.symbol = 'BTC'",
        "joins"},
       {"SELECT * FROM trades a FULL JOIN candles c USING (symbol)", "FULL JOIN"},
       {"SELECT * FROM instruments i LEFT JOIN trades t ON t.symbol = i.symbol", "outer join"},
       // Its partners may lie on another shard: b is kept on a row of its own then.
       {"SELECT * FROM trades a LEFT JOIN trades b ON a.id = b.id LEFT JOIN candles c ON c.symbol "
        "= "
        "a.symbol AND c.symbol = b.symbol",
        "outer join"},
       {"SELECT * FROM (trades a CROSS JOIN trades b) LEFT JOIN candles c ON a.symbol = b.symbol "
        "AND c.symbol = a.symbol",
        "outer join"},
       {"SELECT (SELECT 1 FROM candles c WHERE c.symbol = a.symbol AND c.symbol = b.symbol) FROM "
        "trades a, trades b",
        "joins"}});
}

TEST_F(Routing, ThroughQueriesCtesAndViews) {
  Expect(
      {{"SELECT * FROM (SELECT * FROM trades) s WHERE s.symbol = 'BTC'", "btc"},
       {"SELECT * FROM (SELECT symbol AS x, id FROM trades) s WHERE x = 'BTC'", "btc"},
       {"SELECT * FROM (SELECT symbol, id FROM trades) s (a, b) WHERE a = 'BTC'", "btc"},
       {"SELECT * FROM (SELECT symbol, max(price) FROM trades GROUP BY symbol) s WHERE symbol = "
        "'BTC'",
        "btc"},
       {"SELECT * FROM (SELECT DISTINCT symbol FROM trades) s WHERE symbol = 'BTC'", "btc"},
       {"SELECT * FROM (SELECT symbol FROM trades UNION SELECT symbol FROM candles) s WHERE symbol "
        "= 'ETH'",
        "eth"},
       {"WITH x AS (SELECT * FROM trades) SELECT * FROM x WHERE symbol = 'BTC'", "btc"},
       {"WITH x AS (SELECT * FROM trades WHERE symbol = 'BTC') SELECT * FROM x a, x b", "btc"},
       // A server doesn't run what only reads and nobody refers to.
       {"WITH x AS (TABLE trades), y AS (TABLE x) SELECT * FROM trades WHERE symbol = 'BTC'",
        "btc"},
       {"WITH RECURSIVE x AS (SELECT id FROM trades WHERE symbol = 'BTC' UNION ALL SELECT t.id "
        "FROM "
        "trades t JOIN x ON t.id = x.id + 1 WHERE t.symbol = 'BTC') SELECT * FROM x",
        "btc"},
       {"SELECT * FROM btc_trades", "btc"},
       {"SELECT * FROM all_trades WHERE symbol = 'ETH'", "eth"},
       {"SELECT * FROM all_trades", kAll},
       {"SELECT * FROM per_symbol WHERE symbol = 'ETH'", "eth"},
       {"SELECT * FROM per_symbol", kAll},
       {"SELECT * FROM twofold WHERE symbol = 'ETH'", "eth"},
       {"SELECT * FROM trades t WHERE symbol = 'BTC' AND EXISTS (SELECT 1 FROM candles c WHERE "
        "c.symbol = t.symbol)",
        "btc"},
       {"SELECT * FROM trades t WHERE EXISTS (SELECT 1 FROM candles c WHERE c.symbol = t.symbol)",
        kAll},
       {"SELECT * FROM trades WHERE symbol IN (SELECT symbol FROM candles WHERE symbol = 'BTC')",
        "btc"},
       {"SELECT * FROM trades t, LATERAL (SELECT * FROM candles c WHERE c.symbol = t.symbol ORDER "
        "BY "
        "opened LIMIT 1) l",
        kAll},
       {"SELECT * FROM trades t WHERE symbol = 'BTC' AND id = (SELECT max(id) FROM trades i WHERE "
        "i.symbol = t.symbol)",
        "btc"}});
  ExpectRefused(
      {{"SELECT * FROM (SELECT * FROM trades ORDER BY id LIMIT 5) s WHERE symbol = 'BTC'", "LIMIT"},
       {"SELECT * FROM last_ten WHERE symbol = 'BTC'", "LIMIT"},
       {"SELECT * FROM (SELECT symbol, row_number() OVER (ORDER BY id) FROM trades) s WHERE symbol "
        "= 'BTC'",
        "window"},
       {"SELECT * FROM (SELECT DISTINCT ON (id) * FROM trades) s WHERE symbol = 'BTC'", "DISTINCT"},
       {"SELECT * FROM (SELECT max(symbol) AS symbol FROM trades) s WHERE symbol = 'BTC'",
        "aggregate"},
       {"WITH RECURSIVE x AS (SELECT symbol FROM trades UNION ALL SELECT x.symbol FROM x) SELECT * "
        "FROM x WHERE symbol = 'BTC'",
        "WITH"}});
}

// Each node would make a group of its own of the rows without a partner.
TEST_F(Routing, SymbolThatAnOuterJoinLeavesNullIsNoneOfOneNode) {
  ExpectRefused(
      {{"SELECT c.symbol, count(*) FROM trades t LEFT JOIN candles c USING (symbol) GROUP BY "
        "c.symbol",
        "GROUP BY"},
       {"SELECT DISTINCT c.symbol FROM candles c RIGHT JOIN trades t ON t.symbol = c.symbol",
        "DISTINCT"},
       {"SELECT DISTINCT s.x FROM (SELECT c.symbol AS x FROM trades t LEFT JOIN candles c ON "
        "c.symbol = t.symbol) s",
        "DISTINCT"},
       {"INSERT INTO trades (id, symbol) SELECT 1, c.symbol FROM trades t LEFT JOIN candles c "
        "USING (symbol) WHERE t.symbol = 'BTC'",
        "can't be told"}});
  Expect({{"SELECT t.symbol, c.symbol, count(*) FROM trades t LEFT JOIN candles c USING (symbol) "
           "GROUP BY t.symbol, c.symbol",
           kAll},
          {"SELECT symbol, count(*) FROM trades t LEFT JOIN candles c USING (symbol) GROUP BY "
           "symbol",
           kAll},
          {"SELECT c.symbol, count(*) FROM trades t LEFT JOIN candles c USING (symbol) WHERE "
           "t.symbol = 'BTC' GROUP BY c.symbol",
           "btc"}});
}

TEST_F(Routing, RowsThatNeedMoreThanAppendingAreRefused) {
  ExpectRefused({{"SELECT count(*) FROM trades", "aggregate"},
                 {"SELECT max(price) FROM trades", "aggregate"},
                 {"SELECT id, max(price) FROM trades GROUP BY id", "GROUP BY"},
                 {"SELECT DISTINCT id FROM trades", "DISTINCT"},
                 {"SELECT * FROM trades ORDER BY id", "ORDER BY"},
                 {"SELECT * FROM trades LIMIT 5", "LIMIT"},
                 {"SELECT * FROM trades OFFSET 5", "LIMIT or OFFSET"},
                 {"SELECT row_number() OVER () FROM trades", "window"},
                 {"SELECT * FROM trades FOR UPDATE", "locks"},
                 {"SELECT symbol FROM trades INTERSECT SELECT symbol FROM candles", "INTERSECT"},
                 {"SELECT symbol FROM trades UNION ALL SELECT 'X'", "UNION ALL"},
                 {"SELECT random(), * FROM trades", "volatile"},
                 {"SELECT * FROM trades TABLESAMPLE system (1)", "sample"},
                 {"EXPLAIN SELECT * FROM trades", "EXPLAIN"},
                 {"DECLARE c CURSOR FOR SELECT * FROM trades", "CURSOR"},
                 {"COPY (SELECT * FROM trades) TO STDOUT", "COPY"},
                 {"COPY trades FROM STDIN", "COPY"}});
  Expect({{"SELECT symbol, max(price) FROM trades GROUP BY symbol", kAll},
          {"SELECT DISTINCT symbol, price FROM trades", kAll},
          {"EXPLAIN SELECT * FROM trades WHERE symbol = 'BTC'", "btc"},
          {"COPY (SELECT * FROM trades WHERE symbol = 'BTC') TO STDOUT", "btc"}});
}

// Traps 15 and 16: writes never broadcast or choose.
TEST_F(Routing, Trap15And16WritesGoToOneShardOrNowhere) {
  Expect(
      {{"INSERT INTO trades (id, symbol) VALUES (1, 'BTC')", "btc"},
       {"INSERT INTO trades VALUES (1, 'ETH', 3), (2, 'ETH2', 4)", "eth"},
       {"INSERT INTO trades (symbol) SELECT 'XRP'", "xrp"},
       {"INSERT INTO trades (id, symbol) SELECT id, symbol FROM trades WHERE symbol = 'BTC'",
        "btc"},
       {"INSERT INTO trades SELECT * FROM trades_2024 WHERE symbol = 'BTC'", "btc"},
       {"INSERT INTO trades (id, symbol) VALUES (1, 'BTC') ON CONFLICT (id) DO UPDATE SET symbol "
        "= excluded.symbol",
        "btc"},
       {"UPDATE trades SET price = 1 WHERE symbol = 'BTC'", "btc"},
       {"UPDATE trades SET symbol = 'BTC2' WHERE symbol = 'BTC1'", "btc"},
       {"UPDATE trades SET (price, symbol) = (1, 'BTC2') WHERE symbol = 'BTC1'", "btc"},
       {"INSERT INTO trades (id, symbol) VALUES (1, 'BTC') ON CONFLICT (id) DO UPDATE SET (price, "
        "symbol) = ROW (1, excluded.symbol)",
        "btc"},
       {"UPDATE trades t SET price = c.high FROM candles c WHERE c.symbol = t.symbol AND t.symbol "
        "= 'ETH'",
        "eth"},
       {"DELETE FROM trades WHERE symbol IN ('BTC1', 'BTC2')", "btc"},
       {"UPDATE all_trades SET price = 1 WHERE symbol = 'BTC'", "btc"},
       {"WITH d AS (DELETE FROM trades WHERE symbol = 'BTC' RETURNING *) INSERT INTO trades "
        "(symbol) VALUES ('BTC')",
        "btc"}});
  ExpectRefused(
      {{"INSERT INTO trades (id) VALUES (1)", "no value for \"symbol\""},
       {"INSERT INTO trades (id, symbol) VALUES (1, NULL)", "has no symbol"},
       {"INSERT INTO trades (id, symbol) VALUES (1, DEFAULT)", "has no symbol"},
       {"INSERT INTO trades DEFAULT VALUES", "can't be told"},
       {"INSERT INTO trades (id, symbol) VALUES (1, upper('btc'))", "can't be told"},
       {"INSERT INTO trades (id, symbol) VALUES (1, 'BTC'), (2, 'ETH')", "btc, eth"},
       {"INSERT INTO trades VALUES (1)", "can't be told"},
       {"INSERT INTO trades VALUES ((NULL::two).*, 'BTC')", "can't be told"},
       {"INSERT INTO trades VALUES ((NULL::two).*, 'BTC', 1)", "can't be told"},
       {"INSERT INTO trades (symbol, id) VALUES ((NULL::two).*)", "can't be told"},
       {"INSERT INTO trades SELECT (NULL::two).*, 'BTC'", "can't be told"},
       {"INSERT INTO trades SELECT * FROM (VALUES ((NULL::two).*, 'BTC')) v", "can't be told"},
       {"INSERT INTO numbered (symbol) VALUES ('05')", "not of type text"},
       {"UPDATE folded SET symbol = 'x' WHERE symbol = 'y'", "can't be told"},
       {"INSERT INTO trades SELECT * FROM trades_2024", "several shards"},
       {"INSERT INTO trades (symbol) SELECT unnest($1::text[])", "can't be told"},
       {"INSERT INTO all_trades (symbol) VALUES ('BTC')", "view"},
       {"UPDATE trades SET price = 1", "several shards"},
       {"UPDATE trades SET price = 1 WHERE id = 5", "several shards"},
       {"UPDATE trades SET symbol = 'ETH' WHERE symbol = 'BTC'", "btc, eth"},
       {"UPDATE trades SET (symbol, id) = ('ETH', 1) WHERE symbol = 'BTC'", "btc, eth"},
       {"UPDATE trades SET (id, symbol) = (SELECT 1, 'BTC') WHERE symbol = 'BTC'", "can't be told"},
       {"UPDATE trades SET (id, symbol) = (1, DEFAULT) WHERE symbol = 'BTC'", "has no symbol"},
       {"UPDATE trades SET symbol = upper(symbol) WHERE symbol = 'BTC'", "can't be told"},
       {"DELETE FROM trades", "several shards"},
       {"DELETE FROM trades WHERE symbol = 'BTC' OR symbol = 'ETH'", "several shards"},
       {"MERGE INTO trades t USING candles c ON c.symbol = t.symbol AND t.symbol = 'BTC' WHEN "
        "MATCHED THEN DELETE",
        "several shards"},
       {"WITH d AS (DELETE FROM trades RETURNING *) SELECT * FROM d WHERE symbol = 'BTC'",
        "several shards"}});
  EXPECT_EQ(Where("INSERT INTO trades (symbol) VALUES ($1)", {Text("BTC")}), "btc");
  EXPECT_THAT(Where("INSERT INTO trades (symbol) VALUES ($1)", {Null()}),
              testing::HasSubstr("has no symbol"));
  EXPECT_TRUE(routed_.PlanOf("DELETE FROM trades WHERE symbol = 'BTC'").writes);
  EXPECT_FALSE(routed_.PlanOf("SELECT FROM trades WHERE symbol = 'BTC'").writes);
}

// Each node has a sequence of its own.
TEST_F(Routing, NumbersOfShardedTablesAreDrawnForPlainInsertsOnly) {
  Expect({{"INSERT INTO counted VALUES ('BTC', 1, 2)", "btc"},
          {"INSERT INTO counted (id, symbol) VALUES (7, 'BTC'), ($1, 'BTC')", "btc"},
          {"INSERT INTO counted (id, symbol) OVERRIDING SYSTEM VALUE VALUES (7, 'BTC')", "btc"},
          {"INSERT INTO counted SELECT 'ETH', 1, 2", "eth"},
          {"INSERT INTO counted (symbol, id) SELECT symbol, id FROM trades WHERE symbol = 'BTC'",
           "btc"},
          {"UPDATE counted SET n = DEFAULT, id = 3 WHERE symbol = 'BTC'", "btc"},
          {"UPDATE counted SET (n, symbol) = (DEFAULT, 'BTC2') WHERE symbol = 'BTC'", "btc"},
          {"UPDATE shown SET n = 5 WHERE symbol = 'BTC'", "btc"},
          {"INSERT INTO orders (symbol) VALUES ('BTC')", "default"},
          {"INSERT INTO counted (symbol) VALUES ('BTC')", "btc"},
          {"INSERT INTO counted VALUES ('BTC', 1)", "btc"},
          {"INSERT INTO counted VALUES ('BTC', 1, 2), ('BTC', 1, DEFAULT)", "btc"},
          {"INSERT INTO counted (id, symbol) VALUES (DEFAULT, 'BTC')", "btc"},
          {"UPDATE orders SET id = DEFAULT", "default"},
          {"UPDATE of_orders SET id = DEFAULT", "default"},
          {"WITH d AS (DELETE FROM trades WHERE symbol = 'DOGE') UPDATE orders SET id = DEFAULT",
           "rest"}});
  constexpr const char* kDraws =
      "column \"id\" of the sharded table \"counted\" draws from a sequence of each node";
  ExpectRefused(
      {{"INSERT INTO counted (symbol) VALUES ('BTC'), ('ETH')", "btc, eth"},
       {"EXPLAIN INSERT INTO counted (symbol) VALUES ('BTC')", kDraws},
       {"INSERT INTO counted (id, symbol) OVERRIDING USER VALUE VALUES (7, 'BTC')", kDraws},
       {"INSERT INTO counted SELECT 'ETH', 1", kDraws},
       {"INSERT INTO counted (symbol) SELECT symbol FROM trades WHERE symbol = 'BTC'", kDraws},
       {"WITH i AS (INSERT INTO counted (symbol) VALUES ('BTC') RETURNING id) SELECT * FROM i",
        kDraws},
       {"INSERT INTO counted VALUES ('BTC', 1, 2) ON CONFLICT (id) DO UPDATE SET id = DEFAULT",
        kDraws},
       {"UPDATE counted SET id = DEFAULT WHERE symbol = 'BTC'", kDraws},
       {"UPDATE counted SET (n, id) = (1, DEFAULT) WHERE symbol = 'BTC'", kDraws},
       {"UPDATE shown SET id = DEFAULT WHERE symbol = 'BTC'", "of the view \"shown\""},
       {"UPDATE counted SET (n, symbol) = (1, 'ETH') WHERE symbol = 'BTC'", "btc, eth"}});
  EXPECT_THAT(routed_.PlanOf("INSERT INTO counted (symbol) SELECT 'BTC'").hint,
              testing::HasSubstr("SELECT nextval('…') goes to the node of \"*\""));
  config::ShardMap one = test::SampleMap();
  one.patterns = {{"", true, "rest"}};
  const auto map = ShardMap::Compile(one, test::kShards);
  Planner planner(map, routed_.catalog());
  StatementCache cache;
  const std::string_view sql = "INSERT INTO counted (symbol) VALUES ('BTC')";
  SqlScan scan;
  scan.Scan(sql);
  EXPECT_EQ(planner.Find(cache.Find(sql), 0, BoundValues(sql, scan.literals())).kind,
            Plan::Kind::kSingle);
}

// Trap 18: a replicated table is not written on one node alone.
TEST_F(Routing, Trap18ReplicatedTablesAreReadAnywhereAndNotWritten) {
  Expect({{"SELECT * FROM instruments", "replicated"},
          {"SELECT * FROM instruments, orders", "default"},
          {"SELECT count(*) FROM instruments", "replicated"}});
  ExpectRefused({{"INSERT INTO instruments VALUES ('BTC', 'x')", "two-phase commit"},
                 {"UPDATE instruments SET name = 'x'", "two-phase commit"},
                 {"DELETE FROM instruments", "two-phase commit"}});
}

TEST_F(Routing, WhatIsNotListedLiesOnTheDefaultNode) {
  Expect({{"SELECT * FROM orders", "default"},
          {"INSERT INTO orders VALUES (1)", "default"},
          {"SELECT * FROM pg_class", "default"},
          {"SELECT * FROM information_schema.tables", "default"},
          {"SELECT 1", "any"},
          {"SELECT now()", "any"},
          {"SELECT mine()", "default"},
          {"SELECT nextval('s')", "default"},
          {"SELECT pg_advisory_lock(1)", "default"},
          {"LISTEN x", "default"},
          {"NOTIFY x", "default"},
          {"DO 'BEGIN END'", "default"},
          {"BEGIN", "any"},
          {"SHOW server_version", "any"},
          {"SELECT * FROM trades, orders WHERE trades.symbol = 'DOGE'", "rest"},
          {"INSERT INTO trades (id, symbol) VALUES (nextval('s'), 'DOGE')", "rest"}});
  ExpectRefused(
      {{"SELECT * FROM trades, orders WHERE trades.symbol = 'BTC'",
        "\"orders\" lies on the node rest, but the rows of the sharded table \"trades\" on "
        "btc"},
       {"INSERT INTO trades (id, symbol) VALUES (nextval('s'), 'BTC')", "\"nextval\""},
       {"INSERT INTO orders SELECT id FROM trades WHERE symbol = 'BTC'", "\"orders\""}});
}

TEST_F(Routing, SchemaChangesGoWhereTheirTablesAre) {
  Expect({{"CREATE TABLE later (symbol text)", "everywhere"},
          {"CREATE TABLE other (id int)", "default"},
          {"CREATE TABLE trades_2025 PARTITION OF trades DEFAULT", "everywhere"},
          {"ALTER TABLE trades ADD x int", "everywhere"},
          {"ALTER TABLE orders ADD x int", "default"},
          {"DROP TABLE trades", "everywhere"},
          {"CREATE INDEX ON trades (price)", "everywhere"},
          {"CREATE INDEX ON orders (id)", "default"},
          {"DROP INDEX trades_ix", "everywhere"},
          {"DROP INDEX orders_ix", "default"},
          {"DROP INDEX of_nobody_knows_what", "everywhere"},
          {"TRUNCATE trades", "everywhere"},
          {"VACUUM trades", "everywhere"},
          {"VACUUM orders", "default"},
          {"CREATE SCHEMA s", "everywhere"},
          {"CREATE TYPE t AS ENUM ('a')", "everywhere"},
          {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "everywhere"},
          {"CREATE EXTENSION hstore", "everywhere"},
          {"CREATE ROLE r", "everywhere"},
          {"CREATE DATABASE d", "default"},
          {"CREATE SEQUENCE s", "default"},
          {"CREATE VIEW v AS SELECT * FROM trades", "everywhere"},
          {"CREATE VIEW v AS SELECT * FROM orders", "default"},
          {"DROP VIEW all_trades", "everywhere"},
          {"DROP VIEW of_orders", "default"},
          {"GRANT SELECT ON trades TO r", "everywhere"},
          {"GRANT SELECT ON orders TO r", "default"},
          {"CREATE TRIGGER g BEFORE INSERT ON trades EXECUTE FUNCTION f()", "everywhere"},
          {"DROP TRIGGER g ON trades", "everywhere"},
          {"DROP TRIGGER g ON orders", "default"},
          {"CREATE TABLE x AS SELECT * FROM orders", "default"},
          {"CREATE TABLE x AS SELECT * FROM trades WHERE symbol = 'DOGE'", "rest"}});
  ExpectRefused({{"DROP TABLE trades, orders", "\"trades\" lies on every node"},
                 {"CREATE TABLE later AS SELECT 1", "CREATE TABLE AS"},
                 {"CREATE TABLE x AS SELECT * FROM trades WHERE symbol = 'BTC'", "the new table"},
                 {"PREPARE p AS SELECT * FROM trades", "PREPARE"}});
}

// Trap 10: what isn't understood is never sent anywhere when it may be about a sharded table.
TEST_F(Routing, Trap10TextsThatAreNotUnderstood) {
  ExpectRefused({{"SELECT FROM WHERE trades", "not understood"},
                 {"FROBNICATE \"trades\"", "\"trades\""},
                 {"FROBNICATE all_trades", "\"all_trades\""}});
  Expect({{"FROBNICATE orders", "default"}, {"SELEC 1", "default"}});
}

TEST_F(Routing, NamesThatMayMeanSeveralTablesAreRefused) {
  ExpectRefused({{"SELECT * FROM vague WHERE symbol = 'BTC'", "several schemas"}});
  Expect({{"SELECT * FROM app.vague WHERE symbol = 'BTC'", "btc"},
          {"SELECT * FROM other.vague WHERE symbol = 'BTC'", "default"},
          // Not there yet: its column is known from the map.
          {"SELECT * FROM later WHERE symbol = 'BTC'", kAll}});
}

TEST_F(Routing, ColumnsBelongToTheRightTable) {
  Expect({{"SELECT * FROM trades t, instruments i WHERE i.symbol = 'BTC' AND t.id = 1", kAll},
          {"SELECT * FROM trades, instruments WHERE symbol = 'BTC'", kAll},
          {"SELECT * FROM trades t, instruments i WHERE name = 'x' AND t.symbol = 'BTC'", "btc"},
          {"SELECT * FROM trades t WHERE trades.symbol = 'BTC'", kAll},
          {"SELECT * FROM trades AS t (symbol, x) WHERE symbol = 'BTC'", kAll},
          {"SELECT * FROM trades AS t (a, b) WHERE b = 'BTC'", "btc"},
          {"SELECT * FROM trades, generate_series(1, 3) g WHERE symbol = 'BTC'", "btc"},
          {"SELECT * FROM trades, unnest($1) u WHERE symbol = 'BTC'", kAll},
          {"SELECT * FROM trades, unnest($1) u WHERE trades.symbol = 'BTC'", "btc"}});
}

TEST(RoutingToOneNode, NeedsNoCondition) {
  config::ShardMap source = test::SampleMap();
  source.patterns = {{"", true, "rest"}};
  const auto map = ShardMap::Compile(source, test::kShards);
  const auto catalog = Catalog::FromRows(test::SampleCatalog()).value();
  for (const char* const sql :
       {"SELECT count(*) FROM trades", "DELETE FROM trades", "COPY trades FROM STDIN"}) {
    StatementCache cache;
    const FactsRef facts = cache.Find(sql);
    const Plan plan =
        PlanStatement(*facts, 0, catalog.get(), *map, BoundValues(sql, cache.scan().literals()));
    EXPECT_EQ(plan.kind, Plan::Kind::kSingle) << sql << plan.message;
  }
}

// The pattern that SHOW SHARDS counts a statement under.
TEST_F(Routing, TellsThePatternOfTheFirstSymbol) {
  const auto pattern = [&](std::string_view sql, const std::vector<BoundParameter>& values = {}) {
    const PatternId id = routed_.PlanOf(sql, values).pattern;
    return id == kNoPattern ? "none" : routed_.map().source().patterns[id].Written();
  };
  EXPECT_EQ(pattern("SELECT * FROM trades WHERE symbol = 'BTCUSDT'"), "BTC*");
  EXPECT_EQ(pattern("SELECT * FROM trades WHERE symbol = 'ETHW'"), "ETHW");
  EXPECT_EQ(pattern("SELECT * FROM trades WHERE symbol = 'SOL'"), "*");
  EXPECT_EQ(pattern("SELECT * FROM trades WHERE symbol = $1", {Text("XRP")}), "XRP*");
  EXPECT_EQ(pattern("SELECT * FROM trades WHERE symbol IN ('XRP', 'ETHW')"), "ETHW");
  EXPECT_EQ(pattern("SELECT * FROM trades WHERE symbol LIKE 'BTC%'"), "BTC*");
  EXPECT_EQ(pattern("INSERT INTO trades VALUES (1, 'XRP', 2), (1, 'ETHW', 2)"), "XRP*");
  EXPECT_EQ(pattern("SELECT * FROM trades WHERE symbol = NULL"), "none");
  EXPECT_EQ(pattern("TABLE trades"), "none");
}

TEST_F(Routing, TellsWhichNodesParametersDecideBetween) {
  const auto possible = [&](std::string_view sql) -> std::string {
    SqlScan scan;
    scan.Scan(sql);
    StatementCache cache;
    const RouteTemplate route =
        MakeTemplate(*cache.Find(sql), 0, routed_.catalog().get(), routed_.map());
    const auto nodes = PossibleNodes(route, routed_.map(), BoundValues(sql, scan.literals()));
    return nodes ? test::Routed::Names(*nodes) : "decided";
  };
  EXPECT_EQ(possible("SELECT * FROM trades WHERE symbol = $1"), kAll);
  EXPECT_EQ(possible("INSERT INTO trades VALUES (1, $1, 2)"), kAll);
  EXPECT_EQ(possible("SELECT * FROM trades WHERE symbol = $1 AND symbol IN ('BTC', 'ETH')"),
            "btc+eth");
  EXPECT_EQ(possible("SELECT * FROM trades WHERE symbol = 'BTC' AND price > $1"), "decided");
  EXPECT_EQ(possible("SELECT * FROM trades WHERE price > $1"), "decided");
  EXPECT_EQ(possible("SELECT * FROM orders WHERE symbol = $1"), "decided");
}

TEST_F(Routing, ExplainsItself) {
  EXPECT_EQ(Explain(routed_.PlanOf("SELECT * FROM trades WHERE symbol = 'BTC'"), routed_.map()),
            "node: btc\nkind: single\nwhy: its conditions allow only symbols that lie there\n");
  EXPECT_EQ(
      Explain(routed_.PlanOf("TABLE trades"), routed_.map()),
      "node: btc\nnode: eth\nnode: xrp\nnode: rest\nkind: concat\nwhy: no condition restricts "
      "its symbols\n");
  EXPECT_THAT(Explain(routed_.PlanOf("DELETE FROM trades"), routed_.map()),
              testing::StartsWith("kind: rejected\nwhy: 0A000: a write"));
}

}  // namespace
}  // namespace pgweir::router
