// Random statements on random rows: what the nodes of the plan answer together is what one server
// with all the rows would. Statements that are refused prove nothing, so most may not be.

#include <gtest/gtest.h>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>

#include "router/text_types.h"
#include "tests/router/routed.h"

namespace pgweir::router {
namespace {

struct Row {
  std::string symbol;
  int price = 0;
};
// The row of each alias in scope; null for the nullable side of an outer join.
struct Rows {
  const Row* t = nullptr;
  const Row* c = nullptr;
};
using Truth = std::optional<bool>;

Truth And(Truth a, Truth b) {
  if ((a && !*a) || (b && !*b)) return false;
  return a && b ? Truth(true) : std::nullopt;
}
Truth Not(Truth a) { return a ? Truth(!*a) : std::nullopt; }
Truth Or(Truth a, Truth b) { return Not(And(Not(a), Not(b))); }

// A condition as text and as what it means.
struct Test {
  std::string sql;
  std::function<Truth(const Rows&)> holds;
};

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  size_t Below(size_t end) { return random_() % end; }
  bool Chance(size_t in) { return Below(in) == 0; }

  const std::string& Symbol() {
    static const std::vector<std::string> symbols = {"BTC",  "BTC1", "BTCX", "ETH",  "ETHW",
                                                     "ETHX", "XRP",  "XRP2", "DOGE", "",
                                                     "A",    "Z",    "BT",   "BTD",  "ETHWX"};
    return symbols[Below(symbols.size())];
  }

  // Over the aliases of `scope`: "t", "c" or "tc".
  Test Any(const std::string& scope, int depth = 3) {
    if (depth > 0 && Chance(2)) {
      Test a = Any(scope, depth - 1);
      Test b = Any(scope, depth - 1);
      switch (Below(5)) {
        case 0:
          return {"NOT (" + a.sql + ")", [a](const Rows& r) { return Not(a.holds(r)); }};
        case 1:
        case 2:
          return {"(" + a.sql + " OR " + b.sql + ")",
                  [a, b](const Rows& r) { return Or(a.holds(r), b.holds(r)); }};
        default:
          return {"(" + a.sql + " AND " + b.sql + ")",
                  [a, b](const Rows& r) { return And(a.holds(r), b.holds(r)); }};
      }
    }
    if (scope.size() == 2 && Chance(5)) return SameSymbol();
    const char alias = scope[Below(scope.size())];
    return Chance(6) ? OfPrice(alias) : OfSymbol(alias);
  }

  Test SameSymbol() {
    return {"t.symbol = c.symbol", [](const Rows& r) {
              return r.t && r.c ? Truth(r.t->symbol == r.c->symbol) : std::nullopt;
            }};
  }
  Test SamePrice() {
    return {"t.price = c.high", [](const Rows& r) {
              return r.t && r.c ? Truth(r.t->price == r.c->price) : std::nullopt;
            }};
  }

  const std::vector<BoundParameter>& parameters() const { return parameters_; }

 private:
  Test OfPrice(char alias) {
    const int price = static_cast<int>(Below(3));
    return {fmt::format("{} > {}", alias == 't' ? "t.price" : "c.high", price),
            [alias, price](const Rows& r) {
              const Row* const row = alias == 't' ? r.t : r.c;
              return row ? Truth(row->price > price) : std::nullopt;
            }};
  }

  Test Of(char alias, const std::string& test, std::function<Truth(const std::string&)> is) {
    return {fmt::format("{}.symbol {}", alias, test), [alias, is](const Rows& r) {
              const Row* const row = alias == 't' ? r.t : r.c;
              return row ? is(row->symbol) : std::nullopt;
            }};
  }

  Test OfSymbol(char alias) {
    const std::string a = Symbol();
    const std::string b = Symbol();
    switch (Below(12)) {
      case 0:
        return Of(alias, "IN ('" + a + "', '" + b + "')",
                  [a, b](const std::string& s) { return s == a || s == b; });
      case 1:
        return Of(alias, "NOT IN ('" + a + "', NULL)",
                  [a](const std::string& s) { return s == a ? Truth(false) : std::nullopt; });
      case 2:
        return Of(alias, "LIKE '" + a + "%'",
                  [a](const std::string& s) { return s.starts_with(a); });
      case 3:
        return Of(alias, "NOT LIKE '" + a + "_'", [a](const std::string& s) {
          return !(s.starts_with(a) && s.size() == a.size() + 1);
        });
      case 4:
        return Of(alias, "^@ '" + a + "'", [a](const std::string& s) { return s.starts_with(a); });
      case 5:
        return Of(alias, ">= '" + a + "'", [a](const std::string& s) { return s >= a; });
      case 6:
        return Of(alias, "< '" + a + "'", [a](const std::string& s) { return s < a; });
      case 7:
        return Of(alias, "BETWEEN '" + a + "' AND '" + b + "'",
                  [a, b](const std::string& s) { return s >= a && s <= b; });
      case 8: {
        const bool binary = Chance(2);
        const TextArray array = {a, b};
        kept_.push_back(binary ? EncodeTextArray(array, kTextOid) : FormatTextArray(array));
        parameters_.push_back({false, binary, kTextArrayOid, kept_.back()});
        return Of(alias, fmt::format("= ANY (${})", parameters_.size()),
                  [a, b](const std::string& s) { return s == a || s == b; });
      }
      case 9:
        kept_.push_back(a);
        parameters_.push_back({false, Chance(2), 0, kept_.back()});
        return Of(alias, fmt::format("= ${}", parameters_.size()),
                  [a](const std::string& s) { return s == a; });
      case 10:
        return Of(alias, "<> '" + a + "'", [a](const std::string& s) { return s != a; });
      default:
        return Of(alias, "= '" + a + "'", [a](const std::string& s) { return s == a; });
    }
  }

  std::mt19937 random_;
  std::deque<std::string> kept_;
  std::vector<BoundParameter> parameters_;
};

using Table = std::vector<Row>;
struct Data {
  Table t, c;
};

struct Statement {
  std::string sql;
  // Its rows as texts, in any order.
  std::function<std::vector<std::string>(const Data&)> run;
};

std::string Shown(const Row* row) {
  return row ? fmt::format("{}/{} ", row->symbol, row->price) : "- ";
}

Statement Plain(Generator& any) {
  const Test where = any.Any("t");
  static const char* const texts[] = {
      "SELECT t.symbol, t.price FROM trades t WHERE {}",
      "SELECT * FROM (SELECT * FROM trades) t WHERE {}",
      ("SELECT * FROM (SELECT symbol, max(price) AS price, id FROM trades GROUP BY symbol, id) t "
       "WHERE {}"),
      "WITH t AS (SELECT * FROM trades) SELECT * FROM t WHERE {}"};
  const auto run = [where](const Data& data) {
    std::vector<std::string> rows;
    for (const Row& row : data.t) {
      if (where.holds({&row, nullptr}) == Truth(true)) rows.push_back(Shown(&row));
    }
    return rows;
  };
  return {fmt::format(fmt::runtime(texts[any.Below(4)]), where.sql), run};
}

Statement Counted(Generator& any) {
  const Test where = any.Any("t");
  const bool by_symbol = any.Chance(2);
  const auto run = [where, by_symbol](const Data& data) {
    std::map<std::string, int> counts;
    if (!by_symbol) counts[""] = 0;
    for (const Row& row : data.t) {
      if (where.holds({&row, nullptr}) == Truth(true)) ++counts[by_symbol ? row.symbol : ""];
    }
    std::vector<std::string> rows;
    for (const auto& [symbol, count] : counts) rows.push_back(fmt::format("{} {}", symbol, count));
    return rows;
  };
  const char* const text = by_symbol
                               ? "SELECT symbol, count(*) FROM trades t WHERE {} GROUP BY symbol"
                               : "SELECT count(*) FROM trades t WHERE {}";
  return {fmt::format(fmt::runtime(text), where.sql), run};
}

Statement Joined(Generator& any) {
  const bool left = any.Chance(2);
  const Test on = any.Chance(2)   ? any.SameSymbol()
                  : any.Chance(2) ? any.SamePrice()
                                  : any.Any("tc");
  const Test also = any.Any("tc", 1);
  const Test where = any.Any("tc");
  const auto run = [=](const Data& data) {
    std::vector<std::string> rows;
    const auto add = [&](const Rows& pair) {
      if (where.holds(pair) == Truth(true)) rows.push_back(Shown(pair.t) + Shown(pair.c));
    };
    for (const Row& t : data.t) {
      bool matched = false;
      for (const Row& c : data.c) {
        if (And(on.holds({&t, &c}), also.holds({&t, &c})) != Truth(true)) continue;
        matched = true;
        add({&t, &c});
      }
      if (left && !matched) add({&t, nullptr});
    }
    return rows;
  };
  return {fmt::format("SELECT * FROM trades t {} candles c ON {} AND {} WHERE {}",
                      left ? "LEFT JOIN" : "JOIN", on.sql, also.sql, where.sql),
          run};
}

Statement Existing(Generator& any) {
  const bool negated = any.Chance(3);
  const bool in = any.Chance(3);
  const Test where = any.Any("t", 1);
  const Test on = any.Chance(2) ? any.SameSymbol() : any.Any(in ? "c" : "tc");
  const Test also = any.Any(in ? "c" : "tc", 1);
  const auto run = [=](const Data& data) {
    std::vector<std::string> rows;
    for (const Row& t : data.t) {
      const bool found = std::any_of(data.c.begin(), data.c.end(), [&](const Row& c) {
        const Truth fits = And(on.holds({&t, &c}), also.holds({&t, &c}));
        return fits == Truth(true) && (!in || c.symbol == t.symbol);
      });
      const bool holds = where.holds({&t, nullptr}) == Truth(true);
      if (holds && found != negated) rows.push_back(Shown(&t));
    }
    return rows;
  };
  const char* const text = in ? "SELECT * FROM trades t WHERE {} AND t.symbol {} IN (SELECT "
                                "c.symbol FROM candles c WHERE "
                                "{} AND {})"
                              : "SELECT * FROM trades t WHERE {} AND {} EXISTS (SELECT 1 FROM "
                                "candles c WHERE {} AND {})";
  return {fmt::format(fmt::runtime(text), where.sql, negated ? "NOT" : "", on.sql, also.sql), run};
}

TEST(RoutingProperty, TheNodesOfAPlanAnswerAsOneServerWould) {
  test::Routed routed;
  int routed_to_one = 0;
  int routed_to_some = 0;
  int refused = 0;
  for (unsigned seed = 0; seed < 20'000; ++seed) {
    Generator any(seed);
    const auto make = std::array{Plain, Counted, Joined, Existing}[any.Below(4)];
    const Statement statement = make(any);
    const Plan plan = routed.PlanOf(statement.sql, any.parameters());
    if (plan.kind == Plan::Kind::kReject) {
      ++refused;
      continue;
    }
    const bool anywhere = plan.kind == Plan::Kind::kReplicated;
    ASSERT_TRUE(anywhere || plan.kind == Plan::Kind::kSingle || plan.kind == Plan::Kind::kConcat);
    ++(plan.kind == Plan::Kind::kConcat ? routed_to_some : routed_to_one);
    const NodeSet answering =
        anywhere ? NodeSet::Of(static_cast<NodeId>(any.Below(test::kShards.size()))) : plan.nodes;
    Data all;
    std::vector<Data> nodes(test::kShards.size());
    for (Table Data::* table : {&Data::t, &Data::c}) {
      for (size_t i = any.Below(12); i > 0; --i) {
        const Row row{any.Symbol(), static_cast<int>(any.Below(3))};
        (all.*table).push_back(row);
        (nodes[routed.map().NodeFor(row.symbol)].*table).push_back(row);
      }
    }
    std::vector<std::string> expected = statement.run(all);
    std::vector<std::string> got;
    for (size_t node = 0; node < nodes.size(); ++node) {
      if (!answering.Has(static_cast<NodeId>(node))) continue;
      const std::vector<std::string> rows = statement.run(nodes[node]);
      got.insert(got.end(), rows.begin(), rows.end());
    }
    std::sort(expected.begin(), expected.end());
    std::sort(got.begin(), got.end());
    ASSERT_EQ(got, expected) << "seed " << seed << ": " << statement.sql << "\non "
                             << test::Routed::Names(answering);
  }
  EXPECT_GT(routed_to_one, 2'000);
  EXPECT_GT(routed_to_some, 2'000);
  EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace pgweir::router
