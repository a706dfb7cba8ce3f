#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "router/planner.h"
#include "router/statement_cache.h"

// Statements routed with a catalog and a shard map made for tests.

namespace pgweir::router::test {

inline const std::vector<std::string> kShards = {"btc", "eth", "xrp", "rest"};

// BTC*, ETH*, XRP* and the rest on a node each; ETHW on xrp by itself.
inline config::ShardMap SampleMap() {
  config::ShardMap map;
  map.patterns = {{"BTC", true, "btc"},
                  {"ETH", true, "eth"},
                  {"XRP", true, "xrp"},
                  {"ETHW", false, "xrp"},
                  {"", true, "rest"}};
  map.default_node = "rest";
  map.sharded = {{"", "trades", "symbol"}, {"", "candles", "symbol"},  {"", "padded", "symbol"},
                 {"", "folded", "symbol"}, {"", "numbered", "symbol"}, {"app", "vague", "symbol"},
                 {"", "later", "symbol"},  {"", "counted", "symbol"},  {"", "ledger", "symbol"}};
  map.replicated = {{"", "instruments", ""}};
  return map;
}

inline CatalogRows SampleCatalog() {
  CatalogRows rows;
  const auto of = [&rows](CatalogQuery query) -> auto& { return rows[static_cast<size_t>(query)]; };
  of(CatalogQuery::kRelations) = {
      {"1", "public", "trades", "p", ""},
      {"2", "public", "candles", "r", ""},
      {"3", "public", "padded", "r", ""},
      {"4", "public", "folded", "r", ""},
      {"5", "public", "numbered", "r", ""},
      {"6", "public", "instruments", "r", ""},
      {"7", "public", "orders", "r", ""},
      {"8", "public", "btc_trades", "v",
       " SELECT trades.id, trades.symbol AS sym, trades.price FROM trades WHERE (trades.symbol = "
       "'BTCUSDT'::text);"},
      {"9", "public", "all_trades", "v",
       " SELECT t.id, t.symbol, t.price FROM trades t WHERE (t.price > 0);"},
      {"10", "public", "last_ten", "v",
       " SELECT trades.id, trades.symbol FROM trades ORDER BY trades.id DESC LIMIT 10;"},
      {"11", "public", "per_symbol", "v",
       " SELECT trades.symbol, count(*) AS n FROM trades GROUP BY trades.symbol;"},
      {"12", "public", "trades_2024", "r", ""},
      {"13", "app", "vague", "r", ""},
      {"14", "other", "vague", "r", ""},
      {"15", "public", "of_orders", "v", " SELECT orders.id FROM orders;"},
      {"16", "public", "twofold", "v",
       " SELECT trades.symbol FROM trades UNION ALL SELECT candles.symbol FROM candles;"},
  };
  for (const char* oid : {"1", "12"}) {
    of(CatalogQuery::kColumns).push_back({oid, "id", "20", ""});
    of(CatalogQuery::kColumns).push_back({oid, "symbol", "25", "c"});
    of(CatalogQuery::kColumns).push_back({oid, "price", "1700", ""});
  }
  const std::vector<CatalogRow> columns = {
      {"2", "symbol", "1043", "d"}, {"2", "opened", "1184", ""}, {"2", "high", "1700", ""},
      {"3", "symbol", "1042", "c"}, {"3", "x", "23", ""},        {"4", "symbol", "25", ""},
      {"5", "symbol", "23", ""},    {"6", "symbol", "25", "d"},  {"6", "name", "25", "d"},
      {"7", "id", "20", ""},        {"7", "symbol", "25", "d"},  {"8", "id", "20", ""},
      {"8", "sym", "25", "c"},      {"8", "price", "1700", ""},  {"9", "id", "20", ""},
      {"9", "symbol", "25", "c"},   {"9", "price", "1700", ""},  {"10", "id", "20", ""},
      {"10", "symbol", "25", "c"},  {"11", "symbol", "25", "c"}, {"11", "n", "20", ""},
      {"13", "symbol", "25", "c"},  {"14", "symbol", "25", "c"}, {"15", "id", "20", ""},
      {"16", "symbol", "25", "c"}};
  of(CatalogQuery::kColumns)
      .insert(of(CatalogQuery::kColumns).end(), columns.begin(), columns.end());
  of(CatalogQuery::kInheritance) = {{"12", "1"}};
  of(CatalogQuery::kFunctions) = {{"101", "public", "mine", "s", ""}};
  of(CatalogQuery::kBuiltIns) = {{"count", "i"},       {"max", "i"},
                                 {"now", "s"},         {"random", "v"},
                                 {"nextval", "v"},     {"upper", "i"},
                                 {"coalesce", "i"},    {"pg_advisory_lock", "v"},
                                 {"starts_with", "i"}, {"generate_series", "i"},
                                 {"row_number", "i"},  {"like_escape", "i"},
                                 {"unnest", "i"}};
  of(CatalogQuery::kAggregates) = {{"count"}, {"max"}};
  // Its id draws from a sequence, as that of orders does.
  of(CatalogQuery::kRelations).push_back({"17", "public", "counted", "r", ""});
  of(CatalogQuery::kRelations)
      .push_back({"18", "public", "shown", "v", " SELECT * FROM counted c WHERE (c.n > 0);"});
  for (const char* oid : {"17", "18"}) {
    of(CatalogQuery::kColumns).push_back({oid, "symbol", "25", "c"});
    of(CatalogQuery::kColumns).push_back({oid, "n", "20", ""});
    of(CatalogQuery::kColumns).push_back({oid, "id", "20", ""});
  }
  // Likewise those of a table with an identity and a serial; one draws in a way of its own.
  of(CatalogQuery::kRelations).push_back({"19", "public", "ledger", "r", ""});
  of(CatalogQuery::kColumns).push_back({"19", "id", "20", ""});
  of(CatalogQuery::kColumns).push_back({"19", "symbol", "25", "c"});
  of(CatalogQuery::kColumns).push_back({"19", "Line", "23", ""});
  of(CatalogQuery::kColumns).push_back({"19", "label", "25", "c"});
  of(CatalogQuery::kDrawn) = {{"17", "id", "public.counted_id_seq", ""},
                              {"7", "id", "public.orders_id_seq", ""},
                              {"99", "id", "", ""},
                              {"19", "id", "public.ledger_id_seq", "a"},
                              {"19", "Line", "public.\"ledger_Line_seq\"", ""},
                              {"19", "label", "", ""}};
  of(CatalogQuery::kIndexes) = {{"public", "trades_ix", "1"}, {"public", "orders_ix", "7"}};
  return rows;
}

class Routed {
 public:
  Routed()
      : map_(ShardMap::Compile(SampleMap(), kShards)),
        catalog_(Catalog::FromRows(SampleCatalog()).value()),
        planner_(map_, catalog_) {}

  Plan PlanOf(std::string_view sql, const std::vector<BoundParameter>& parameters = {}) {
    const FactsRef facts = cache_.Find(sql);
    SqlScan scan;
    scan.Scan(sql);
    return planner_.Find(facts, 0, BoundValues(sql, scan.literals(), parameters));
  }

  ListSplit SplitOf(std::string_view sql, NodeId node,
                    const std::vector<BoundParameter>& parameters = {}) {
    const FactsRef facts = cache_.Find(sql);
    SqlScan scan;
    scan.Scan(sql);
    return planner_.Split(facts, 0, BoundValues(sql, scan.literals(), parameters), node);
  }

  std::vector<TouchedSymbols> SymbolsOf(std::string_view sql,
                                        const std::vector<BoundParameter>& parameters = {}) {
    const FactsRef facts = cache_.Find(sql);
    SqlScan scan;
    scan.Scan(sql);
    return planner_.SymbolsOf(facts, 0, BoundValues(sql, scan.literals(), parameters));
  }

  // The INSERT with its numbers, which are 1, 2 …; "" when it leaves none to a sequence, "not
  // plain" when they have no place in it.
  std::string NumberedOf(std::string_view sql) {
    const FactsRef facts = cache_.Find(sql);
    const DrawnNumbersRef drawn = planner_.Drawn(facts, 0);
    if (drawn == nullptr) return "";
    SqlScan scan;
    scan.Scan(sql);
    const auto edits =
        NumberEdits(*drawn, sql, scan.tokens(), [](size_t i) { return std::to_string(i + 1); });
    return edits ? Edited(sql, *edits) : "not plain";
  }

  // "btc", "btc+eth" for kConcat, "any", "replicated", "default", "everywhere", else the message.
  std::string Where(std::string_view sql, const std::vector<BoundParameter>& parameters = {}) {
    const Plan plan = PlanOf(sql, parameters);
    switch (plan.kind) {
      case Plan::Kind::kAnywhere:
        return "any";
      case Plan::Kind::kReplicated:
        return plan.why == Plan::Why::kNoSymbol ? "any" : "replicated";
      case Plan::Kind::kDefault:
        return "default";
      case Plan::Kind::kEverywhere:
        return "everywhere";
      case Plan::Kind::kReject:
        return "refused: " + plan.message;
      default:
        return Names(plan.nodes);
    }
  }
  static std::string Names(const NodeSet& nodes) {
    std::string names;
    for (size_t node = 0; node < kShards.size(); ++node) {
      if (nodes.Has(static_cast<NodeId>(node))) names += (names.empty() ? "" : "+") + kShards[node];
    }
    return names;
  }

  const ShardMap& map() const { return *map_; }
  const CatalogRef& catalog() const { return catalog_; }
  Planner& planner() { return planner_; }

 private:
  ShardMapRef map_;
  CatalogRef catalog_;
  StatementCache cache_;
  Planner planner_;
};

inline BoundParameter Text(std::string_view text, uint32_t type = 0) {
  return {false, false, type, text};
}
inline BoundParameter Null() { return {true, false, 0, {}}; }

}  // namespace pgweir::router::test
