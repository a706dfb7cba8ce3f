// INSERT, UPDATE, DELETE and MERGE. What they write is made of constants and of the row itself:
// which of several partners a row is joined with is the server's choice.

#include <algorithm>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "tests/support/oracle_generator.h"

namespace pgweir::test {
namespace {

struct Target {
  std::string_view name, number, key;
};
constexpr Target kTargets[] = {
    {"trades", "price", "id"}, {"trades", "price", "id"}, {"padded", "x", "x"}};

}  // namespace

std::string OracleGenerator::OnConflict(std::string_view table) {
  if (table != "trades" || !random_.Chance(35)) return "";
  switch (random_.Below(4)) {
    case 0:
      return " ON CONFLICT DO NOTHING";
    case 1:
      return fmt::format(" ON CONFLICT (symbol, id) DO UPDATE SET price = {}", Number());
    case 2:
      return " ON CONFLICT (symbol, id) DO UPDATE SET symbol = excluded.symbol, price = "
             "excluded.price";
    default:
      return fmt::format(
          " ON CONFLICT (symbol, id) DO UPDATE SET price = 9 WHERE trades.price > {} RETURNING "
          "symbol, price",
          Number());
  }
}

std::string OracleGenerator::Insert() {
  const Target& target = random_.Pick(kTargets);
  const bool trades = target.name == "trades";
  // The symbol's place among them; nowhere when it is left out.
  std::vector<std::string> columns = {"symbol", std::string(target.key)};
  if (trades) columns.push_back("price");
  if (random_.Chance(50)) std::reverse(columns.begin(), columns.end());
  const bool missing = !decided() && random_.Chance(5);
  if (missing) std::erase(columns, "symbol");
  const bool unnamed = trades && !missing && random_.Chance(20);
  if (unnamed) columns = {"id", "symbol", "price"};
  std::vector<std::string> rows;
  for (int i = random_.Chance(60) ? 1 : 2 + random_.Below(2); i > 0; --i) {
    std::vector<std::string> values;
    for (const std::string& column : columns) {
      const bool symbol = column == "symbol";
      std::string value = symbol ? draft_->Key() : Number();
      if (symbol && !decided()) {
        const int odd = random_.Below(25);
        if (odd == 0) value = "NULL";
        if (odd == 1) value = "DEFAULT";
        if (odd == 2) value = fmt::format("upper({})", value);
        if (odd == 3) value = fmt::format("{} || ''", value);
      }
      values.push_back(std::move(value));
    }
    rows.push_back(fmt::format("({})", fmt::join(values, ", ")));
  }
  const std::string conflict = OnConflict(target.name);
  const bool returns = conflict.empty() && random_.Chance(25);
  return fmt::format("INSERT INTO {}{} VALUES {}{}{}", target.name,
                     unnamed ? "" : fmt::format(" ({})", fmt::join(columns, ", ")),
                     fmt::join(rows, ", "), conflict, returns ? " RETURNING *" : "");
}

std::string OracleGenerator::InsertQuery() {
  const bool trades = random_.Chance(70);
  const char* const into = trades ? "trades (symbol, id, price)" : "padded (symbol, x)";
  const std::string numbers =
      trades ? fmt::format("{}, 6", 20 + random_.Below(30)) : std::to_string(random_.Below(5));
  std::string source;
  switch (random_.Below(decided() ? 4 : 7)) {
    case 0:
      source = fmt::format("SELECT {}, {}", draft_->Key(), numbers);
      break;
    case 1:
      source = fmt::format("SELECT {}, {} FROM generate_series(1, {}) g", draft_->Key(), numbers,
                           random_.Below(3));
      break;
    case 4:
      source = fmt::format("SELECT s, {} FROM unnest({}::text[]) s", numbers, draft_->Symbols());
      break;
    case 5:
      source = fmt::format("SELECT symbol, {} FROM instruments", numbers);
      break;
    case 6: {
      const Item item = Any();
      source =
          fmt::format("SELECT {}, {} FROM {}{}", item.Symbol(), numbers, item.sql, Where({item}));
      break;
    }
    default: {
      const Item item = Table();
      source = fmt::format("SELECT {}{}, {} FROM {}{}", random_.Chance(40) ? "DISTINCT " : "",
                           item.Symbol(), numbers, item.sql, Where({item}));
    }
  }
  return fmt::format("INSERT INTO {} {}{}", into, source,
                     trades && random_.Chance(30) ? " ON CONFLICT DO NOTHING" : "");
}

std::string OracleGenerator::Update() {
  const Target& target = random_.Pick(kTargets);
  Item item{.alias = Alias(), .number = std::string(target.number)};
  std::string set;
  switch (random_.Below(8)) {
    case 0:
      set = fmt::format("{} = {} + 1", target.number, item.Number());
      break;
    case 1:
      set = fmt::format("symbol = {}", draft_->Key());
      break;
    case 2:
      set = fmt::format("({}, symbol) = ({}, {})", target.number, Number(), draft_->Key());
      break;
    case 3:
      if (!decided()) {
        set = fmt::format("symbol = upper({})", item.Symbol());
        break;
      }
      [[fallthrough]];
    default:
      set = fmt::format("{} = {}", target.number, Number());
  }
  std::string from;
  Items items = {item};
  std::vector<std::string> conditions;
  if (random_.Chance(25)) {
    const Item other = Any();
    from = " FROM " + other.sql;
    items.push_back(other);
    if (random_.Chance(80)) {
      conditions.push_back(fmt::format("{} = {}", other.Symbol(), item.Symbol()));
    }
  }
  const std::string where = Where(items, conditions);
  return fmt::format(
      "UPDATE {} {} SET {}{}{}{}", target.name, item.alias, set, from, where,
      random_.Chance(25) ? fmt::format(" RETURNING {}, {}", item.Symbol(), item.Number()) : "");
}

std::string OracleGenerator::Delete() {
  Item item = Table();
  item.sql = fmt::format("{} {}",
                         item.number == "price"  ? "trades"
                         : item.number == "high" ? "candles"
                                                 : "padded",
                         item.alias);
  std::string from;
  Items items = {item};
  std::vector<std::string> conditions;
  if (random_.Chance(25)) {
    const Item other = Any();
    from = " USING " + other.sql;
    items.push_back(other);
    if (random_.Chance(80)) {
      conditions.push_back(fmt::format("{} = {}", other.Symbol(), item.Symbol()));
    }
  }
  const std::string where = Where(items, conditions);
  return fmt::format(
      "DELETE FROM {}{}{}{}", item.sql, from, where,
      random_.Chance(25) ? fmt::format(" RETURNING {}, {}", item.Symbol(), item.Number()) : "");
}

std::string OracleGenerator::Merge() {
  const Item target{.alias = Alias(), .number = "price"};
  Item source{.alias = Alias(), .number = "n", .owes = false};
  if (random_.Chance(60)) {
    source.sql = fmt::format("(SELECT {}::text AS symbol, {} AS n) {}", draft_->Key(),
                             random_.Below(5), source.alias);
  } else {
    const Item inner = Table();
    source.sql = fmt::format("(SELECT DISTINCT {} AS symbol, 3 AS n FROM {}{}) {}", inner.Symbol(),
                             inner.sql, Where({inner}), source.alias);
  }
  std::string on = fmt::format("{} = {} AND {}.id = {}", target.Symbol(), source.Symbol(),
                               target.alias, source.Number());
  if (decided() || random_.Chance(40)) on += " AND " + Deciding(target);
  std::vector<std::string> actions;
  if (random_.Chance(70)) {
    actions.push_back(random_.Chance(60)
                          ? fmt::format("WHEN MATCHED THEN UPDATE SET price = {}", Number())
                          : "WHEN MATCHED THEN DELETE");
  }
  if (actions.empty() || random_.Chance(60)) {
    const std::string symbol = decided() || random_.Chance(50) ? draft_->Key() : source.Symbol();
    actions.push_back(
        fmt::format("WHEN NOT MATCHED THEN INSERT (symbol, id, price) VALUES ({}, {}, 8)", symbol,
                    40 + random_.Below(10)));
  }
  return fmt::format("MERGE INTO trades {} USING {} ON {} {}", target.alias, source.sql, on,
                     fmt::join(actions, " "));
}

std::string OracleGenerator::WritingCte() {
  const Item item{.sql = "trades", .alias = "trades", .number = "price"};
  switch (random_.Below(3)) {
    case 0: {
      ctes_.push_back(
          fmt::format("d AS (DELETE FROM trades{} RETURNING symbol, id)", Where({item})));
      if (random_.Chance(50)) return "SELECT * FROM d";
      const Item other = Any();
      return fmt::format("SELECT {}, d.id FROM {}, d{}", other.Symbol(), other.sql,
                         Where({other}, {fmt::format("{} = d.symbol", other.Symbol())}));
    }
    case 1:
      ctes_.push_back(fmt::format("u AS (UPDATE trades SET price = {}{} RETURNING *)", Number(),
                                  Where({item})));
      return decided() ? fmt::format("INSERT INTO padded (symbol, x) SELECT {}, count(*) FROM u",
                                     draft_->Key())
                       : "INSERT INTO padded (symbol, x) SELECT symbol, 1 FROM u WHERE "
                         "length(symbol) < 8";
    default: {
      ctes_.push_back(
          fmt::format("i AS (INSERT INTO padded (symbol, x) VALUES ({}, {}) RETURNING x)",
                      draft_->Key(), Number()));
      return fmt::format("SELECT symbol, price, (SELECT count(*) FROM i) FROM trades{}",
                         Where({item}));
    }
  }
}

std::string OracleGenerator::ReplicatedWrite() {
  switch (random_.Below(3)) {
    case 0:
      return fmt::format("INSERT INTO instruments VALUES ({}, 'x')", draft_->Symbol());
    case 1:
      return fmt::format("UPDATE instruments SET name = 'y' WHERE symbol = {}", draft_->Symbol());
    default:
      return fmt::format("DELETE FROM instruments WHERE symbol = {}", draft_->Symbol());
  }
}

std::string OracleGenerator::UnlistedWrite() {
  switch (random_.Below(4)) {
    case 0:
      return fmt::format("UPDATE orders SET amount = {} WHERE symbol = {}", Number(),
                         draft_->Symbol());
    case 1: {
      const Item item = Table();
      return fmt::format("INSERT INTO orders (symbol, amount) SELECT {}, 1 FROM {}{} ORDER BY 1",
                         item.Symbol(), item.sql, Where({item}));
    }
    case 2:
      return fmt::format("DELETE FROM orders WHERE amount = {} RETURNING symbol", Number());
    default:
      return fmt::format("INSERT INTO orders (symbol, amount) VALUES ({}, {}) RETURNING id, symbol",
                         draft_->Symbol(), Number());
  }
}

}  // namespace pgweir::test
