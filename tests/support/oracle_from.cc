// What stands in FROM: tables, and queries, CTEs and views of them, by themselves and joined.

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "tests/support/oracle_generator.h"

namespace pgweir::test {
namespace {

struct TableNames {
  std::string_view name, number;
};
constexpr TableNames kTables[] = {{"trades", "price"}, {"candles", "high"}, {"padded", "x"}};

}  // namespace

OracleGenerator::Item OracleGenerator::Table(std::string_view name) {
  TableNames table = kTables[random_.Chance(55) ? 0 : random_.Chance(60) ? 1 : 2];
  for (const TableNames& known : kTables) {
    if (known.name == name) table = known;
  }
  Item item{.alias = Alias(), .number = std::string(table.number)};
  constexpr const char* kWays[] = {"{} {}", "{} {}", "{} AS {}", "public.{} {}", "ONLY {} {}"};
  item.sql = fmt::format(fmt::runtime(random_.Pick(kWays)), table.name, item.alias);
  return item;
}

OracleGenerator::Item OracleGenerator::Any() {
  if (depth_ > 2 || random_.Chance(60)) return Table();
  return random_.Chance(70) ? Query() : View();
}

OracleGenerator::Item OracleGenerator::Query() {
  ++depth_;
  const std::string alias = Alias();
  const int choice = random_.Below(12);
  const bool of_trades = choice == 6 || choice == 7 || choice == 10;
  const Item inner = of_trades ? Table("trades") : random_.Chance(80) ? Table() : Any();
  // What can't be restricted from outside has to be decided within.
  Item item{.alias = alias, .number = "n"};
  const auto within = [&] {
    item.owes = false;
    return Where({inner});
  };
  const auto perhaps = [&] { return random_.Chance(50) ? within() : ""; };
  const std::string columns = fmt::format("{} AS symbol, {} AS n", inner.Symbol(), inner.Number());
  std::string sql;
  switch (choice) {
    case 0:
      sql = fmt::format("SELECT * FROM {}{}", inner.sql, perhaps());
      item.symbol = inner.symbol;
      item.number = inner.number;
      break;
    case 1:
      sql = fmt::format("SELECT {} AS s, {} AS n FROM {}{}", inner.Symbol(), inner.Number(),
                        inner.sql, perhaps());
      item.symbol = "s";
      break;
    case 2:
      sql = fmt::format("SELECT {} AS symbol, max({}) AS n FROM {}{} GROUP BY {}", inner.Symbol(),
                        inner.Number(), inner.sql, perhaps(), inner.Symbol());
      break;
    case 3:
      sql = fmt::format("SELECT DISTINCT {} FROM {}{}", columns, inner.sql, perhaps());
      break;
    case 4:
    case 5: {
      const Item other = Table();
      const std::string left = within();
      sql = fmt::format("SELECT {} FROM {}{} UNION {}SELECT {}, {} FROM {}{}", columns, inner.sql,
                        left, random_.Chance(60) ? "ALL " : "", other.Symbol(), other.Number(),
                        other.sql, Where({other}));
      break;
    }
    case 6:
      sql = fmt::format("SELECT {} FROM {}{} ORDER BY {}.symbol, {}.id LIMIT {}", columns,
                        inner.sql, within(), inner.alias, inner.alias, Number());
      break;
    case 7:
      sql = fmt::format("SELECT DISTINCT ON (symbol) {} FROM {}{} ORDER BY symbol, {}.id", columns,
                        inner.sql, within(), inner.alias);
      break;
    case 8:
      sql = fmt::format("SELECT {} AS symbol, rank() OVER (ORDER BY {}) AS n FROM {}{}",
                        inner.Symbol(), inner.Number(), inner.sql, within());
      break;
    case 9:
      sql = fmt::format("SELECT {} FROM {}{} OFFSET 0", columns, inner.sql, within());
      break;
    default: {
      // A CTE, restricted within or by the one query that reads it.
      const std::string name = fmt::format("c{}", aliases_);
      const std::string body = fmt::format("SELECT {} FROM {}{}", columns, inner.sql, perhaps());
      constexpr const char* kHow[] = {"", "MATERIALIZED ", "NOT MATERIALIZED "};
      ctes_.push_back(fmt::format("{} AS {}({})", name, random_.Pick(kHow), body));
      --depth_;
      item.sql = name + " " + alias;
      return item;
    }
  }
  --depth_;
  item.sql = fmt::format("({}) {}", sql, alias);
  return item;
}

OracleGenerator::Item OracleGenerator::View() {
  Item item{.alias = Alias()};
  const char* view = "all_trades";
  item.number = "price";
  switch (random_.Below(decided() ? 4 : 6)) {
    case 0:
      view = "per_symbol";
      item.number = "n";
      break;
    case 1:
      view = "twofold";
      item.number = "n";
      break;
    case 2: {
      item.sql = fmt::format("trades {} (i, s, p, t)", item.alias);
      item.symbol = "s";
      item.number = "p";
      return item;
    }
    case 4:
      view = "last_five";
      break;
    case 5:
      view = "of_btc";
      break;
    default:
      break;
  }
  item.sql = fmt::format("{} {}", view, item.alias);
  return item;
}

OracleGenerator::From OracleGenerator::Joined(int count) {
  From from;
  from.items.push_back(Any());
  from.sql = from.items[0].sql;
  for (int i = 1; i < count; ++i) {
    Item next = Any();
    const Item& left = random_.Pick(from.items);
    std::string on = fmt::format("{} = {}", left.Symbol(), next.Symbol());
    Items all = from.items;
    all.push_back(next);
    const bool using_symbol = i == 1 && left.symbol == "symbol" && next.symbol == "symbol";
    const int how = random_.Below(12);
    if (how == 0) {
      from.sql += ", " + next.sql;
      if (random_.Chance(70)) from.where.push_back(on);
    } else if (how == 1 && using_symbol) {
      from.sql += " NATURAL JOIN " + next.sql;
    } else if (how == 2) {
      // Nothing but equality is served by PostgreSQL itself.
      from.sql += fmt::format(" FULL JOIN {} ON {}", next.sql, on);
    } else {
      const bool outer = how > 7;
      const bool right = how == 11;
      if (random_.Chance(20)) on = fmt::format("{} = {}", left.Number(), next.Number());
      if (using_symbol && random_.Chance(25)) {
        from.sql += fmt::format(" {} JOIN {} USING (symbol)",
                                right   ? "RIGHT"
                                : outer ? "LEFT"
                                        : "INNER",
                                next.sql);
      } else {
        if (random_.Chance(10)) on = Condition(all, 1);
        if (random_.Chance(35)) on += " AND " + Condition(all, 1);
        // It filters the side whose rows may be left out.
        if (next.owes && !right && (decided() ? random_.Chance(50) : random_.Chance(15))) {
          on += " AND " + Deciding(next);
          next.owes = false;
        }
        from.sql += fmt::format(" {} JOIN {} ON {}",
                                right   ? "RIGHT"
                                : outer ? "LEFT"
                                        : "INNER",
                                next.sql, on);
      }
    }
    from.items.push_back(std::move(next));
  }
  return from;
}

}  // namespace pgweir::test
