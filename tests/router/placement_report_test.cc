#include "router/placement_report.h"

#include "tests/router/placement_rows.h"

namespace pgweir::router {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<CatalogRow>& Of(PlacementRows& rows, PlacementQuery query) {
  return rows[static_cast<size_t>(query)];
}

// Nothing to be said of it but that some listed tables are to be made.
PlacementRows Sound() {
  PlacementRows rows;
  Of(rows, PlacementQuery::kDatabase) = {{"UTF8", "C", "C", "c", ""}};
  Of(rows, PlacementQuery::kTables) = {{"public", "trades", "p", "", ""},
                                       {"public", "trades_1", "r", "public", "trades"},
                                       {"public", "instruments", "r", "", ""},
                                       {"public", "notes", "r", "", ""}};
  Of(rows, PlacementQuery::kColumns) = {
      {"public", "trades", "id", "bigint", "", "", "", "t", "", ""},
      {"public", "trades", "symbol", "text", "t", "C", "c", "t", "", ""},
      {"public", "instruments", "symbol", "text", "t", "default", "d", "t", "", ""},
      {"public", "notes", "id", "bigint", "", "", "", "t", "i", "public.notes_id_seq"}};
  Of(rows, PlacementQuery::kKeys) = {
      {"public", "trades", "p", "trades_pkey", "{symbol,id}", "", "the key"},
      {"public", "instruments", "p", "instruments_pkey", "{symbol}", "", "the key"},
      {"public", "notes", "p", "notes_pkey", "{id}", "", "the key"}};
  Of(rows, PlacementQuery::kForeignKeys) = {
      {"public", "trades", "of", "{symbol}", "public", "instruments", "{symbol}", "saa"}};
  return rows;
}

class PlacementReport : public testing::Test {
 protected:
  PlacementRows& a() { return nodes_[0].rows; }
  PlacementRows& b() { return nodes_[1].rows; }
  // To both nodes.
  void Add(PlacementQuery query, const CatalogRow& row) {
    Of(a(), query).push_back(row);
    Of(b(), query).push_back(row);
  }
  CatalogRow& Symbol(PlacementRows& rows) { return Of(rows, PlacementQuery::kColumns)[1]; }

  // Without the notes of tables that are listed and on no node.
  std::vector<std::string> Report() {
    auto findings = ReportPlacement(*map_, nodes_).value();
    std::erase_if(findings, [](const auto& finding) {
      return finding.message == "it is listed, but on no node";
    });
    return test::Lines(findings);
  }

  ShardMapRef map_ = test::PlacementMap();
  std::vector<NodePlacement> nodes_ = {{"a", Sound()}, {"b", Sound()}};
};

TEST_F(PlacementReport, SaysNothingOfWhatSuits) {
  EXPECT_THAT(Report(), IsEmpty());
  EXPECT_THAT(
      test::Lines(ReportPlacement(*map_, nodes_).value()),
      ElementsAre("note: table \"app\".\"book\": it is listed, but on no node. Create it, or "
                  "correct its name in the shard map.",
                  StartsWith("note: table \"orders\": ")));
}

TEST_F(PlacementReport, SaysNothingOfAMapWithOneNode) {
  config::ShardMap map = map_->source();
  map.patterns = {{"", true, "a"}};
  map.default_node = "a";
  const auto one = ShardMap::Compile(map, std::vector<std::string>{"a"});
  Symbol(a())[3] = "integer";
  EXPECT_THAT(ReportPlacement(*one, std::span(nodes_).first(1)).value(), IsEmpty());
}

TEST_F(PlacementReport, UniqueWithoutTheSymbolHoldsOnANodeByItself) {
  Add(PlacementQuery::kKeys, {"public", "trades", "u", "odd \"one\"", "{id}", "", "x"});
  Add(PlacementQuery::kKeys, {"public", "trades", "i", "some", "{NULL,id}", "t", "x"});
  Add(PlacementQuery::kKeys, {"public", "trades_1", "x", "part", "{id}", "", "x"});
  EXPECT_THAT(
      Report(),
      ElementsAre("warning: table \"public\".\"trades\": the partial unique index \"some\" (an "
                  "expression, \"id\") doesn't contain the symbol's column \"symbol\": it holds on "
                  "each node by itself. Add that column to it, or see to it that the values are "
                  "unique by themselves.",
                  HasSubstr("the unique constraint \"odd \"\"one\"\"\" (\"id\") doesn't contain"),
                  StartsWith("warning: table \"public\".\"trades_1\": the exclusion constraint")));
}

TEST_F(PlacementReport, ForeignKeysHaveToFindTheirRowsOnTheNode) {
  const auto add = [this](const char* from, const char* name, const char* columns, const char* to,
                          const char* there) {
    Add(PlacementQuery::kForeignKeys, {"public", from, name, columns, "public", to, there, "saa"});
  };
  add("trades", "good", "{id,symbol}", "trades", "{id,symbol}");
  add("trades", "crossed", "{id,symbol}", "trades", "{symbol,id}");
  add("trades", "away", "{id}", "notes", "{id}");
  add("instruments", "up", "{symbol}", "trades", "{symbol}");
  add("instruments", "out", "{symbol}", "notes", "{id}");
  add("notes", "in", "{id}", "trades_1", "{id}");
  add("notes", "fine", "{id}", "instruments", "{symbol}");
  add("notes", "own", "{id}", "notes", "{id}");
  EXPECT_THAT(
      Report(),
      ElementsAre(
          StartsWith(
              "error: table \"public\".\"instruments\": the foreign key \"out\" (\"symbol\") "
              "refers to \"public\".\"notes\", which isn't listed: its rows are on the node b "
              "only. List \"public\".\"notes\" as replicated"),
          StartsWith(
              "error: table \"public\".\"instruments\": the foreign key \"up\" (\"symbol\") "
              "refers to \"public\".\"trades\", which is sharded: rows of other nodes are not "
              "found. "),
          // What isn't listed is the default node's.
          StartsWith("error: table \"public\".\"notes\" on node b: the foreign key \"in\" "),
          StartsWith("error: table \"public\".\"trades\": the foreign key \"away\" (\"id\") refers "
                     "to \"public\".\"notes\", which isn't listed"),
          StartsWith("error: table \"public\".\"trades\": the foreign key \"crossed\" (\"id\", "
                     "\"symbol\") refers to \"public\".\"trades\" by other columns than the "
                     "symbols")));
}

TEST_F(PlacementReport, DefaultsOfShardedTablesThatDrawFromSequences) {
  Add(PlacementQuery::kColumns,
      {"public", "trades", "n", "bigint", "", "", "", "t", "s", "public.trades_n_seq"});
  Add(PlacementQuery::kColumns, {"public", "trades", "m", "bigint", "", "", "", "t", "i", ""});
  Add(PlacementQuery::kColumns,
      {"public", "trades_1", "n", "bigint", "", "", "", "t", "s", "public.trades_n_seq"});
  EXPECT_THAT(
      Report(),
      ElementsAre(
          HasSubstr("the default of the column \"n\" draws from a sequence "
                    "public.trades_n_seq of each node, so that rows which are not given their "
                    "numbers get the same on different nodes. INSERT … VALUES is given numbers "
                    "from the node b;"),
          HasSubstr("the identity of the column \"m\" draws from a sequence of each node")));
}

TEST_F(PlacementReport, SymbolsNeedATypeACollationAndAValue) {
  for (auto* const rows : {&a(), &b()})
    Symbol(*rows) = {"public", "trades", "symbol", "text", "t", "de_DE", "d", "", "", ""};
  EXPECT_THAT(Report(), ElementsAre(HasSubstr("warning: table \"public\".\"trades\": the symbol's "
                                              "column \"symbol\" may be null. "),
                                    StartsWith("note: table \"public\".\"trades\": the symbol's "
                                               "column \"symbol\" has the collation \"de_DE\": "
                                               "ranges")));
  for (auto* const rows : {&a(), &b()})
    Symbol(*rows) = {"public", "trades", "symbol", "text", "t", "nocase", "", "t", "", ""};
  EXPECT_THAT(Report(),
              ElementsAre(HasSubstr("error: table \"public\".\"trades\": the symbol's "
                                    "column \"symbol\" has the collation \"nocase\", in")));
  for (auto* const rows : {&a(), &b()})
    Symbol(*rows) = {"public", "trades", "symbol", "app.d", "", "C", "c", "t", "", ""};
  EXPECT_THAT(Report(),
              ElementsAre(HasSubstr("the symbol's column \"symbol\" is of type app.d. ")));
  for (auto* const rows : {&a(), &b()}) Symbol(*rows)[2] = "sym";
  EXPECT_THAT(Report(), ElementsAre(HasSubstr("it has no column \"symbol\", which the map")));
}

TEST_F(PlacementReport, ListedViews) {
  Add(PlacementQuery::kTables, {"public", "orders", "v", "", ""});
  Add(PlacementQuery::kColumns, {"public", "orders", "symbol", "text", "t", "C", "c", "t", "", ""});
  EXPECT_THAT(Report(), ElementsAre(StartsWith("error: table \"public\".\"orders\": it is listed, "
                                               "but it is a view. ")));
}

TEST_F(PlacementReport, WhatSomeNodesSayNamesThem) {
  Symbol(b())[7] = "";
  EXPECT_THAT(Report(),
              ElementsAre(StartsWith("warning: table \"public\".\"trades\" on node b: the column "
                                     "\"symbol\" may be null, other than on node a. "),
                          StartsWith("warning: table \"public\".\"trades\" on node b: the symbol's "
                                     "column \"symbol\" may be null. ")));
}

TEST_F(PlacementReport, TablesThatSomeNodesLack) {
  Of(a(), PlacementQuery::kTables).erase(Of(a(), PlacementQuery::kTables).begin() + 1);
  Of(a(), PlacementQuery::kTables).pop_back();  // not listed: no matter
  EXPECT_THAT(Report(),
              ElementsAre("error: table \"public\".\"trades_1\" on node a: it isn't there. "
                          "Create it as on node b."));
}

TEST_F(PlacementReport, ColumnsThatDiffer) {
  auto& columns = Of(b(), PlacementQuery::kColumns);
  columns.push_back({"public", "trades", "more", "text", "t", "C", "c", "", "", ""});
  Of(a(), PlacementQuery::kColumns)
      .push_back({"public", "instruments", "name", "text", "t", "C", "c", "", "", ""});
  columns[0] = {"public", "trades", "id", "integer", "", "", "", "t", "s", "public.s"};
  columns[2][5] = "C";
  EXPECT_THAT(
      Report(),
      ElementsAre(
          HasSubstr("\"instruments\" on node b: it has no column \"name\", which it has on node a"),
          HasSubstr("on node b: the column \"symbol\" has the collation \"C\", on node a "
                    "\"default\". "),
          HasSubstr("\"trades\" on node b: it has a column \"more\", which it hasn't on node a"),
          HasSubstr("on node b: the column \"id\" is of type integer, on node a of bigint"),
          HasSubstr("on node b: the column \"id\" draws from a sequence, other than on node a"),
          HasSubstr("on node b: the default of the column \"id\" draws")));
}

TEST_F(PlacementReport, ColumnsInAnotherOrder) {
  auto& columns = Of(b(), PlacementQuery::kColumns);
  std::swap(columns[0], columns[1]);
  EXPECT_THAT(Report(), ElementsAre(HasSubstr("\"trades\" on node b: its columns stand in another "
                                              "order than on node a")));
}

TEST_F(PlacementReport, ConstraintsThatDiffer) {
  Of(b(), PlacementQuery::kKeys)[0][6] = "another key";
  Of(a(), PlacementQuery::kKeys)
      .push_back({"public", "trades", "i", "lost", "{symbol}", "", "an index"});
  Of(b(), PlacementQuery::kForeignKeys)[0] = {"public", "trades",      "new",      "{symbol}",
                                              "public", "instruments", "{symbol}", "saa"};
  const std::string constraint = "on node b: unique or exclusion constraint or index ";
  EXPECT_THAT(Report(),
              ElementsAre(HasSubstr("on node b: foreign key \"new\" is there, but not on node a"),
                          HasSubstr("on node b: foreign key \"of\" is missing, which is there on"),
                          HasSubstr(constraint + "\"lost\" is missing, which is there on node a"),
                          HasSubstr(constraint + "\"trades_pkey\" is another than on node a")));
}

TEST_F(PlacementReport, DatabasesThatDiffer) {
  Of(b(), PlacementQuery::kDatabase)[0] = {"LATIN1", "de_DE", "C", "c", ""};
  EXPECT_THAT(Report(),
              ElementsAre("error: database on node b: its encoding is LATIN1, that of node "
                          "a is UTF8. Give every node the same.",
                          StartsWith("warning: database on node b: its locale is de_DE, C, "
                                     "that of node a is C, C: ")));
}

TEST_F(PlacementReport, RowsOfTheWrongShapeAreAnError) {
  Of(b(), PlacementQuery::kKeys)[0].pop_back();
  const auto report = ReportPlacement(*map_, nodes_);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("of node b gave 6 columns"));
}

}  // namespace
}  // namespace pgweir::router
