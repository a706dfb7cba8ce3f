#include "router/list_split.h"

#include <gmock/gmock.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <random>

#include "router/literal_value.h"
#include "router/text_types.h"
#include "tests/router/routed.h"

namespace pgweir::router {
namespace {

using test::Null;
using test::Text;
using testing::ElementsAre;
using Edit = ListSplit::ParameterEdit;

class ListSplitting : public testing::Test {
 protected:
  NodeId Node(std::string_view name) { return routed_.map().Find(name).value(); }
  ListSplit Split(std::string_view sql, std::string_view node,
                  const std::vector<BoundParameter>& parameters = {}) {
    return routed_.SplitOf(sql, Node(node), parameters);
  }
  // The text that a node is sent.
  std::string Sent(std::string_view sql, std::string_view node) {
    return Edited(sql, Split(sql, node).text);
  }
  void ExpectWhole(std::string_view sql, const std::vector<BoundParameter>& parameters = {}) {
    for (const std::string& node : kShards) {
      EXPECT_TRUE(Split(sql, node, parameters).empty()) << sql << " for " << node;
    }
  }
  std::vector<Edit> Parameters(std::string_view sql, std::string_view node,
                               const std::vector<BoundParameter>& parameters) {
    const ListSplit split = Split(sql, node, parameters);
    EXPECT_TRUE(split.text.empty()) << sql;
    return split.parameters;
  }

  const std::vector<std::string>& kShards = test::kShards;
  test::Routed routed_;
};

TEST_F(ListSplitting, LiteralsOfOthersGiveWayToOwnOnes) {
  const char* const sql = "SELECT * FROM trades WHERE symbol IN ('BTC', 'ETH', 'BTC2', 'XRP')";
  EXPECT_EQ(Sent(sql, "btc"), "SELECT * FROM trades WHERE symbol IN ('BTC', 'BTC', 'BTC2', 'BTC')");
  EXPECT_EQ(Sent(sql, "eth"), "SELECT * FROM trades WHERE symbol IN ('ETH', 'ETH', 'ETH', 'ETH')");
  EXPECT_EQ(Sent(sql, "rest"), sql);
  EXPECT_EQ(Sent("SELECT * FROM trades WHERE symbol = ANY (ARRAY['BTC', NULL, 'XRP'])", "xrp"),
            "SELECT * FROM trades WHERE symbol = ANY (ARRAY['XRP', NULL, 'XRP'])");
}

TEST_F(ListSplitting, LiteralsAreCopiedAsTheyAreWritten) {
  EXPECT_EQ(Sent("SELECT 1 FROM trades WHERE symbol IN (E'BTC\\'', 'ETH', 'XRP')", "btc"),
            "SELECT 1 FROM trades WHERE symbol IN (E'BTC\\'',  E'BTC\\'',  E'BTC\\'')");
  EXPECT_EQ(
      Sent("SELECT 1 FROM trades WHERE symbol IN ('BTC''s', $$ETH$$, U&'XRP' UESCAPE '!')", "btc"),
      "SELECT 1 FROM trades WHERE symbol IN ('BTC''s', 'BTC''s', 'BTC''s')");
  EXPECT_EQ(Sent("SELECT 1 FROM trades WHERE symbol IN ($a$BTC$a$, text'ETH', E'XRP')", "btc"),
            "SELECT 1 FROM trades WHERE symbol IN ($a$BTC$a$, text'ETH',  $a$BTC$a$)");
  EXPECT_EQ(Sent("SELECT 1 FROM trades WHERE symbol IN (text $$BTC$$, text'ETH')", "btc"),
            "SELECT 1 FROM trades WHERE symbol IN (text $$BTC$$, text $$BTC$$)");
}

// A literal with a cast has a type of its own.
TEST_F(ListSplitting, OnlyLiteralsOfOneTypeStandForEachOther) {
  EXPECT_EQ(
      Sent("SELECT 1 FROM trades WHERE symbol IN ('BTC'::text, 'ETH', 'XRP'::varchar)", "btc"),
      "SELECT 1 FROM trades WHERE symbol IN ('BTC'::text, 'ETH', 'BTC'::varchar)");
  ExpectWhole("SELECT 1 FROM trades WHERE symbol IN ('BTC', 5)");
  ExpectWhole("SELECT 1 FROM trades WHERE symbol IN ('BTC', 'ETH'::char(2))");
}

TEST_F(ListSplitting, ArraysInTheTextLoseElements) {
  EXPECT_EQ(
      Sent("SELECT 1 FROM trades WHERE symbol = ANY ('{BTC,ETH,NULL,\"XRP\"}'::text[])", "xrp"),
      "SELECT 1 FROM trades WHERE symbol = ANY ('{NULL,\"XRP\"}'::text[])");
  EXPECT_EQ(Sent("SELECT 1 FROM trades WHERE symbol = ANY ($${BTC,it's}$$)", "rest"),
            "SELECT 1 FROM trades WHERE symbol = ANY ('{\"it''s\"}')");
  EXPECT_EQ(Sent("SELECT 1 FROM trades WHERE symbol = ANY ('{BTC,ETH}') OR symbol = 'XRP'", "xrp"),
            "SELECT 1 FROM trades WHERE symbol = ANY ('{}') OR symbol = 'XRP'");
  // Backslashes, escapes and several dimensions stay as they are.
  const char* const backslash = "SELECT 1 FROM trades WHERE symbol = ANY ('{\"a\\\\b\",BTC}')";
  EXPECT_EQ(Sent(backslash, "rest"), backslash);
  ExpectWhole("SELECT 1 FROM trades WHERE symbol = ANY (E'{BTC,ETH}')");
  ExpectWhole("SELECT 1 FROM trades WHERE symbol = ANY ('{ {BTC,ETH},{XRP,BTC1}}')");
}

TEST_F(ListSplitting, ParametersOfOthersGetOwnValues) {
  const char* const sql = "SELECT * FROM trades WHERE price > $1 AND symbol IN ($2, $3, $4)";
  const std::vector<BoundParameter> values = {Text("1"), Text("BTC"), Text("ETH"), Text("BTC2")};
  EXPECT_THAT(Parameters(sql, "btc", values), ElementsAre(Edit{3, "BTC"}));
  EXPECT_THAT(Parameters(sql, "eth", values), ElementsAre(Edit{2, "ETH"}, Edit{4, "ETH"}));
  ExpectWhole(sql);
  const std::vector<BoundParameter> nulls = {Text("1"), Null(), Text("ETH"), Text("XRP")};
  EXPECT_THAT(Parameters(sql, "xrp", nulls), ElementsAre(Edit{3, "XRP"}));
  // A type of its own, or one that the server has to convert.
  const std::vector<BoundParameter> mixed = {Text("1"), Text("BTC", kVarcharOid),
                                             Text("ETH", kTextOid), Text("XRP", kVarcharOid)};
  EXPECT_THAT(Parameters(sql, "btc", mixed), ElementsAre(Edit{4, "BTC"}));
  ExpectWhole(sql, {Text("1"), Text("BTC"), Text("ETH"), Text("7", 23)});
}

TEST_F(ListSplitting, ArraysOfParametersLoseElementsInTheirFormat) {
  const char* const sql = "SELECT * FROM trades WHERE symbol = ANY ($1)";
  EXPECT_THAT(Parameters(sql, "btc", {Text("{ETH,\"BTC\",NULL,XRP}", kTextArrayOid)}),
              ElementsAre(Edit{1, "{\"BTC\",NULL}"}));
  EXPECT_THAT(Parameters(sql, "rest", {Text("{ETH,\"a\\\\b\"}")}),
              ElementsAre(Edit{1, "{\"a\\\\b\"}"}));
  const std::string binary = EncodeTextArray({"XRP", std::nullopt, "BTC", "ETHW"}, kVarcharOid);
  const std::vector<BoundParameter> bound = {{false, true, kVarcharArrayOid, binary}};
  EXPECT_THAT(Parameters(sql, "xrp", bound),
              ElementsAre(Edit{1, EncodeTextArray({"XRP", std::nullopt, "ETHW"}, kVarcharOid)}));
  EXPECT_THAT(Parameters(sql, "eth", bound),
              ElementsAre(Edit{1, EncodeTextArray({std::nullopt}, kVarcharOid)}));
  ExpectWhole(sql, {Null()});
  ExpectWhole(sql, {{false, true, kTextArrayOid, std::string_view(binary).substr(1)}});
}

TEST_F(ListSplitting, ArraysOfSeveralDimensionsStayWhole) {
  const char* const sql = "SELECT * FROM trades WHERE symbol = ANY ($1)";
  ExpectWhole(sql, {Text("{{BTC,ETH},{XRP,BTC}}", kTextArrayOid)});
  // Two dimensions of one and two elements.
  std::string binary = EncodeTextArray({"BTC", "ETH"}, kTextOid);
  binary.replace(0, 4, std::string("\0\0\0\2", 4));
  binary.insert(12, std::string("\0\0\0\1\0\0\0\1", 8));
  EXPECT_EQ(routed_.Where(sql, {{false, true, kTextArrayOid, binary}}), "btc+eth");
  ExpectWhole(sql, {{false, true, kTextArrayOid, binary}});
}

TEST_F(ListSplitting, ListsThatLeaveOutStayWhole) {
  ExpectWhole("SELECT * FROM trades WHERE symbol NOT IN ('BTC', 'ETH')");
  ExpectWhole("SELECT * FROM trades WHERE NOT (symbol IN ('BTC', 'ETH'))");
  ExpectWhole("SELECT * FROM trades WHERE symbol <> ALL ('{BTC,ETH}')");
  ExpectWhole("SELECT * FROM trades WHERE symbol <> ALL ($1)", {Text("{BTC,ETH}")});
}

TEST_F(ListSplitting, ParametersUsedTwiceStayAsTheyAre) {
  const std::vector<BoundParameter> array = {Text("{BTC,ETH}", kTextArrayOid)};
  ExpectWhole("SELECT $1::text[], * FROM trades WHERE symbol = ANY ($1)", array);
  ExpectWhole("SELECT * FROM trades WHERE symbol = ANY ($1) AND id::text <> ALL ($1)", array);
  const char* const sql = "SELECT $2, * FROM trades WHERE symbol IN ($1, $2, $3)";
  const std::vector<BoundParameter> values = {Text("BTC", kTextOid), Text("ETH", kTextOid),
                                              Text("XRP", kTextOid)};
  EXPECT_THAT(Parameters(sql, "btc", values), ElementsAre(Edit{3, "BTC"}));
  EXPECT_THAT(Parameters(sql, "eth", values), ElementsAre(Edit{1, "ETH"}, Edit{3, "ETH"}));
}

// So that a prepared statement has one text a node.
TEST_F(ListSplitting, TextsDoNotDependOnParameters) {
  const char* const sql = "SELECT 1 FROM trades WHERE symbol IN ('BTC', 'ETH', $1)";
  ExpectWhole(sql, {Text("XRP")});
  ExpectWhole(sql);
  const char* const both = "SELECT 1 FROM trades WHERE symbol IN ('BTC', 'ETH') OR symbol IN ($1)";
  for (const std::vector<BoundParameter>& bound :
       {std::vector<BoundParameter>{}, {Text("XRP")}, {Text("5", 23)}}) {
    EXPECT_EQ(Split(both, "btc", bound).text.size(), 1U);
  }
}

TEST_F(ListSplitting, ReachesListsInViewsCtesAndJoins) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"SELECT * FROM all_trades WHERE symbol IN (", ") AND price > 3"},
      {"WITH c AS (SELECT * FROM trades WHERE symbol IN (", ")) SELECT * FROM c"},
      {"WITH c AS (SELECT * FROM trades WHERE symbol IN (",
       ")) SELECT * FROM c JOIN c d ON c.symbol = d.symbol"},
      {"SELECT * FROM trades t JOIN candles c USING (symbol) WHERE symbol IN (", ")"},
      {"SELECT * FROM (SELECT symbol AS s FROM trades) x WHERE s IN (", ")"},
      {"SELECT t.id FROM trades t JOIN instruments i ON t.symbol IN (",
       ") AND i.symbol = t.symbol"}};
  for (const auto& [before, after] : cases) {
    const std::string sql = before + "'BTC', 'ETH'" + after;
    EXPECT_EQ(routed_.Where(sql), "btc+eth") << sql;
    EXPECT_EQ(Sent(sql, "btc"), before + "'BTC', 'BTC'" + after);
  }
}

// What it is compared with may be another's, or not only symbols.
TEST_F(ListSplitting, ListsThatOtherRowsAreComparedWithStayWhole) {
  ExpectWhole(
      "SELECT * FROM trades t JOIN instruments i USING (symbol) "
      "WHERE t.symbol LIKE 'BTC%' AND i.symbol IN ('BTC', 'ETH')");
  ExpectWhole(
      "SELECT * FROM (SELECT symbol FROM trades UNION ALL SELECT symbol FROM instruments) x "
      "WHERE symbol IN ('BTC', 'ETH')");
  ExpectWhole(
      "SELECT * FROM trades t WHERE EXISTS (SELECT 1 FROM (SELECT symbol FROM candles UNION "
      "ALL SELECT symbol FROM instruments) x WHERE x.symbol IN ('BTC', 'ETH'))");
  // Symbols of different types: one's list may be another's pattern of blanks.
  ExpectWhole("SELECT * FROM twofold WHERE symbol IN ('BTC', 'ETH')");
  ExpectWhole("SELECT * FROM folded WHERE symbol IN ('BTC', 'ETH')");
  ExpectWhole("SELECT * FROM trades WHERE symbol IN ('BTC', 'ETH') OR price > 3");
  ExpectWhole("SELECT symbol IN ('BTC', 'ETH') FROM trades");
}

TEST_F(ListSplitting, BlanksBelongToNoSymbolOfCharN) {
  EXPECT_EQ(Sent("SELECT 1 FROM padded WHERE symbol IN ('ETHW ', 'BTC', 'XRP')", "xrp"),
            "SELECT 1 FROM padded WHERE symbol IN ('ETHW ', 'ETHW ', 'XRP')");
  EXPECT_EQ(Sent("SELECT 1 FROM padded WHERE symbol IN ('ETHW ', 'BTC', 'ETH')", "eth"),
            "SELECT 1 FROM padded WHERE symbol IN ('ETHW ', 'ETHW ', 'ETH')");
  EXPECT_EQ(Sent("SELECT 1 FROM trades WHERE symbol IN ('ETHW ', 'XRP')", "xrp"),
            "SELECT 1 FROM trades WHERE symbol IN ('XRP', 'XRP')");
}

TEST_F(ListSplitting, SeveralEditsAreInOrder) {
  const std::string sql =
      "WITH c AS (SELECT * FROM candles WHERE symbol IN ('XRP', 'BTC')) SELECT * FROM c JOIN "
      "trades "
      "t ON c.symbol = t.symbol WHERE t.symbol = ANY ('{BTC,XRP}') AND t.symbol IN ('XRP', 'BTC')";
  EXPECT_EQ(Sent(sql, "btc"),
            "WITH c AS (SELECT * FROM candles WHERE symbol IN ('BTC', 'BTC')) SELECT * FROM c JOIN "
            "trades t ON c.symbol = t.symbol WHERE t.symbol = ANY ('{\"BTC\"}') AND t.symbol IN "
            "('BTC', 'BTC')");
}

TEST(ListSplit, EditsOutsideUtf8KeepWhatIsNotAscii) {
  const ShardMapRef map = ShardMap::Compile(test::SampleMap(), test::kShards);
  const CatalogRef catalog = Catalog::FromRows(test::SampleCatalog()).value();
  Planner planner(map, catalog);
  StatementCache cache;
  const std::string_view sql = "SELECT 1 FROM trades WHERE symbol IN ('BTC', 'ETH', '\xc4')";
  SqlScan scan;
  scan.Scan(sql);
  const BoundValues values(sql, scan.literals(), {}, false);
  EXPECT_TRUE(planner.Split(cache.Find(sql), 0, values, 0).empty());
}

// The elements that a list in the text has for one node, or an array.
std::vector<std::string> Elements(const std::string& sql) {
  SqlScan scan;
  scan.Scan(sql);
  std::vector<std::string> elements;
  for (const Literal& literal : scan.literals()) {
    const std::string value = LiteralValue(sql, literal).value();
    const auto array = value.starts_with('{') ? ParseTextArray(value) : std::nullopt;
    if (!array) {
      elements.push_back(value);
    } else {
      for (const auto& element : *array) elements.push_back(element.value());
    }
  }
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

std::string Quoted(const std::string& text, unsigned how) {
  std::string plain, escaped;
  for (const char c : text) {
    plain += c == '\'' ? "''" : std::string(1, c);
    escaped += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  }
  if (how % 3 == 1) return "E'" + escaped + "'";
  return how % 3 == 2 ? "$q$" + text + "$q$" : "'" + plain + "'";
}

// Each node's part is what is its own of the list, or the whole list; each symbol is in the part of
// its node.
TEST_F(ListSplitting, RandomListsAreDividedByTheirNodes) {
  const std::vector<std::string> symbols = {"BTC",   "BTC1",     "BTC'x", "ETH",  "ETHW", "ETHX",
                                            "XRP",   "DOGE",     "A\\B",  "",     "it's", "{",
                                            "ETH W", "\xc3\xa4", "BTC\"", "XRP,1"};
  std::mt19937 random(20);
  int divided = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> list;
    for (size_t count = 1 + random() % 6; count > 0; --count) {
      list.push_back(symbols[random() % symbols.size()]);
    }
    std::string sql = "SELECT id FROM trades WHERE symbol ";
    if (random() % 2 == 0) {
      std::string items;
      for (const auto& symbol : list) {
        items += (items.empty() ? "" : ", ") + Quoted(symbol, static_cast<unsigned>(random()));
      }
      sql += "IN (" + items + ")";
    } else {
      const TextArray array(list.begin(), list.end());
      sql += "= ANY (" + Quoted(FormatTextArray(array), static_cast<unsigned>(random())) + ")";
    }
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    for (const std::string& node : kShards) {
      const std::string sent = Sent(sql, node);
      std::vector<std::string> own;
      for (const std::string& symbol : list) {
        if (routed_.map().NodeFor(symbol) == Node(node)) own.push_back(symbol);
      }
      if (sent == sql) {
        EXPECT_EQ(Elements(sent), list);
        continue;
      }
      ++divided;
      EXPECT_EQ(Elements(sent), own) << sql << " for " << node << ": " << sent;
      EXPECT_EQ(routed_.Where(sent), own.empty() ? "any" : node) << sent;
    }
  }
  EXPECT_GT(divided, 3000);
}

}  // namespace
}  // namespace pgweir::router
