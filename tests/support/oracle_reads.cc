// Queries.

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "tests/support/oracle_generator.h"

namespace pgweir::test {
namespace {

constexpr const char* kReplicatedRows = "instruments";

// All columns, so that rows in the same place are the same.
std::string ByAll(int columns, TwinRandom& random) {
  std::vector<std::string> keys;
  for (int i = 1; i <= columns; ++i) {
    keys.push_back(fmt::format("{}{}", i, random.Chance(30) ? " DESC" : ""));
  }
  return fmt::format(" ORDER BY {}", fmt::join(keys, ", "));
}

}  // namespace

OracleGenerator::Output OracleGenerator::Outputs(const Items& items) {
  if (random_.Chance(20)) return {"*", 0};
  if (random_.Chance(8)) return {random_.Pick(items).alias + ".*", 0};
  std::vector<std::string> columns;
  for (int i = 1 + random_.Below(4); i > 0; --i) {
    const Item& item = random_.Pick(items);
    switch (random_.Below(12)) {
      case 0:
        columns.push_back(fmt::format("{} = {} AS is_it", item.Symbol(), draft_->Symbol()));
        break;
      case 1:
        columns.push_back(fmt::format("upper({})", item.Symbol()));
        break;
      case 2:
        columns.push_back(fmt::format("{} + 1", item.Number()));
        break;
      case 3:
        columns.push_back(fmt::format("CASE WHEN {} THEN 1 ELSE 0 END", Condition({item}, 1)));
        break;
      case 4: {
        if (depth_ > 1) break;
        ++depth_;
        const Item inner = Table();
        const std::string tied = fmt::format("{} = {}", inner.Symbol(), item.Symbol());
        columns.push_back(
            fmt::format("(SELECT count(*) FROM {}{})", inner.sql, Where({inner}, {tied})));
        --depth_;
        break;
      }
      case 5:
        columns.push_back(draft_->Symbol() + " AS said");
        break;
      case 6:
      case 7:
        columns.push_back(item.Number());
        break;
      default:
        columns.push_back(item.Symbol());
    }
  }
  if (columns.empty()) columns.push_back(items[0].Symbol());
  return {fmt::format("{}", fmt::join(columns, ", ")), static_cast<int>(columns.size())};
}

std::string OracleGenerator::Ordered(int columns, std::string sql, int chance) {
  if (columns == 0 || !random_.Chance(chance)) return sql;
  ordered_ = true;
  sql += ByAll(columns, random_);
  if (random_.Chance(35)) sql += fmt::format(" LIMIT {}", Number());
  if (random_.Chance(20)) sql += fmt::format(" OFFSET {}", Number());
  return sql;
}

std::string OracleGenerator::Rows() {
  const Item item = Any();
  const std::string where = Where({item});
  const Output output = Outputs({item});
  return Ordered(output.columns, fmt::format("SELECT {} FROM {}{}", output.sql, item.sql, where),
                 10);
}

std::string OracleGenerator::Join() {
  const From from = Joined(random_.Chance(75) ? 2 : 3);
  const std::string where = Where(from.items, from.where);
  const Output output = Outputs(from.items);
  return Ordered(output.columns, fmt::format("SELECT {} FROM {}{}", output.sql, from.sql, where),
                 10);
}

std::string OracleGenerator::Ordering() {
  const Item item = Any();
  const std::string where = Where({item});
  return Ordered(
      2, fmt::format("SELECT {}, {} FROM {}{}", item.Symbol(), item.Number(), item.sql, where),
      100);
}

std::string OracleGenerator::Grouping() {
  const From from = Joined(random_.Chance(70) ? 1 : 2);
  const std::string where = Where(from.items, from.where);
  const Item& item = from.items[0];
  std::vector<std::string> sums = {"count(*)"};
  if (random_.Chance(50)) sums.push_back(fmt::format("sum({})", item.Number()));
  if (random_.Chance(30)) sums.push_back(fmt::format("min({})", item.Symbol()));
  if (random_.Chance(20)) sums.push_back(fmt::format("avg({})", item.Number()));
  if (random_.Chance(20)) sums.push_back(fmt::format("count(DISTINCT {})", item.Symbol()));
  if (random_.Chance(20)) {
    sums.push_back(fmt::format("count(*) FILTER (WHERE {})", Condition({item}, 1)));
  }
  if (random_.Chance(15)) {
    sums.push_back(fmt::format("string_agg({0}, ',' ORDER BY {0})", item.Symbol()));
  }
  std::string key, group;
  switch (random_.Below(8)) {
    case 0:
    case 1:
      break;
    case 2:
      key = item.Number();
      group = " GROUP BY " + key;
      break;
    case 3:
      key = fmt::format("{}, {}", item.Symbol(), item.Number());
      group = " GROUP BY " + key;
      break;
    case 4:
      key = fmt::format("left({}, 2)", item.Symbol());
      group = " GROUP BY 1";
      break;
    case 5:
      key = item.Symbol();
      group = fmt::format(" GROUP BY ROLLUP ({})", key);
      break;
    default:
      key = item.Symbol();
      group = " GROUP BY " + key;
  }
  std::string having;
  if (random_.Chance(25)) having = fmt::format(" HAVING count(*) > {}", Number());
  return fmt::format("SELECT {}{}{} FROM {}{}{}{}", key, key.empty() ? "" : ", ",
                     fmt::join(sums, ", "), from.sql, where, group, having);
}

std::string OracleGenerator::Distinct() {
  const Item item = Any();
  const std::string where = Where({item});
  switch (random_.Below(4)) {
    case 0:
      return fmt::format("SELECT DISTINCT {} FROM {}{}", item.Symbol(), item.sql, where);
    case 1:
      return fmt::format("SELECT DISTINCT {} FROM {}{}", item.Number(), item.sql, where);
    case 2:
      return fmt::format("SELECT DISTINCT ON ({0}) {0}, {1} FROM {2}{3} ORDER BY {0}, {1}",
                         item.Symbol(), item.Number(), item.sql, where);
    default:
      return fmt::format("SELECT DISTINCT {}, {} FROM {}{}", item.Symbol(), item.Number(), item.sql,
                         where);
  }
}

std::string OracleGenerator::SetOperation() {
  constexpr const char* kOperations[] = {"UNION ALL", "UNION ALL", "UNION",
                                         "INTERSECT", "EXCEPT",    "EXCEPT ALL"};
  std::string sql;
  for (int i = 2 + random_.Below(2); i > 0; --i) {
    const Item item = Any();
    const std::string where = Where({item});
    if (!sql.empty()) sql += fmt::format(" {} ", random_.Pick(kOperations));
    sql += fmt::format("SELECT {}, {} FROM {}{}", item.Symbol(), item.Number(), item.sql, where);
  }
  if (random_.Chance(12)) sql += fmt::format(" UNION ALL SELECT {}, 7", draft_->Symbol());
  if (random_.Chance(25)) {
    sql = fmt::format("SELECT s.symbol FROM ({}) s (symbol, n)", sql);
    return random_.Chance(60) ? fmt::format("{} WHERE s.symbol = {}", sql, draft_->Key()) : sql;
  }
  return Ordered(2, sql, 20);
}

std::string OracleGenerator::Recursive() {
  recursive_ = true;
  const Item first = Table("trades");
  const Item next = Table("trades");
  const std::string start = Where({first});
  // Bounded however much it finds.
  const bool tied = random_.Chance(75);
  std::vector<std::string> conditions = {fmt::format("r.n < {}", tied ? 4 : 2)};
  if (tied) conditions.push_back(fmt::format("{} = r.symbol", next.Symbol()));
  const std::string on = Where({next}, conditions);
  ctes_.push_back(fmt::format(
      "r (symbol, id, n) AS (SELECT {}, {}.id, 1 FROM {}{} UNION {}SELECT {}, {}.id, r.n + 1 "
      "FROM {} JOIN r ON {}.id = r.id + 1{})",
      first.Symbol(), first.alias, first.sql, start, random_.Chance(60) ? "ALL " : "",
      next.Symbol(), next.alias, next.sql, next.alias, on));
  return random_.Chance(40) ? fmt::format("SELECT * FROM r WHERE symbol = {}", draft_->Key())
                            : "SELECT * FROM r";
}

std::string OracleGenerator::Windows() {
  const Item item = Any();
  const std::string where = Where({item});
  constexpr const char* kWindows[] = {"rank() OVER (PARTITION BY {0} ORDER BY {1})",
                                      "count(*) OVER ()", "sum({1}) OVER (PARTITION BY {0})",
                                      "dense_rank() OVER (ORDER BY {0}, {1})",
                                      "max({0}) OVER (PARTITION BY {1})"};
  const std::string window =
      fmt::format(fmt::runtime(random_.Pick(kWindows)), item.Symbol(), item.Number());
  return fmt::format("SELECT {}, {}, {} FROM {}{}", item.Symbol(), item.Number(), window, item.sql,
                     where);
}

std::string OracleGenerator::Locking() {
  const Item item = Table();
  const std::string where = Where({item});
  constexpr const char* kLocks[] = {"UPDATE", "SHARE", "NO KEY UPDATE", "KEY SHARE SKIP LOCKED"};
  return fmt::format("SELECT * FROM {}{} FOR {}", item.sql, where, random_.Pick(kLocks));
}

std::string OracleGenerator::Lateral() {
  const Item item = Any();
  const Item inner = Table();
  std::vector<std::string> conditions;
  if (random_.Chance(85)) {
    conditions.push_back(fmt::format("{} = {}", inner.Symbol(), item.Symbol()));
  }
  std::string query = fmt::format("SELECT {} AS m FROM {}{}", inner.Number(), inner.sql,
                                  Where({inner}, conditions));
  if (random_.Chance(50)) query += fmt::format(" ORDER BY 1 LIMIT {}", Number());
  const std::string where = Where({item});
  return random_.Chance(50)
             ? fmt::format("SELECT {}, l.m FROM {}, LATERAL ({}) l{}", item.Symbol(), item.sql,
                           query, where)
             : fmt::format("SELECT {}, l.m FROM {} LEFT JOIN LATERAL ({}) l ON true{}",
                           item.Symbol(), item.sql, query, where);
}

std::string OracleGenerator::Replicated() {
  if (random_.Chance(15)) {
    return fmt::format("SELECT * FROM {} WHERE symbol <> {}", kReplicatedRows, draft_->Symbol());
  }
  const Item item = Any();
  const std::string where = Where({item});
  const std::string tied = fmt::format("i.symbol = {}", item.Symbol());
  switch (random_.Below(6)) {
    case 0:
      return fmt::format("SELECT {}, i.name FROM {} LEFT JOIN instruments i ON {}{}", item.Symbol(),
                         item.sql, tied, where);
    case 1:
      return fmt::format("SELECT {}, i.name FROM instruments i LEFT JOIN {} ON {}{}", item.Symbol(),
                         item.sql, tied, where);
    case 2:
      return fmt::format("SELECT i.*, (SELECT count(*) FROM {}{}) FROM instruments i", item.sql,
                         Where({item}, {tied}));
    case 3:
      return fmt::format("SELECT * FROM {}, instruments i{}", item.sql,
                         Where({item}, {fmt::format("i.symbol = {}", draft_->Symbol())}));
    case 4:
      return fmt::format(
          "SELECT * FROM {}{}", item.sql,
          Where({item}, {fmt::format("{} IN (SELECT symbol FROM instruments WHERE name > {})",
                                     item.Symbol(), draft_->Symbol())}));
    default:
      return fmt::format("SELECT {}, i.name FROM {} JOIN instruments i ON {}{}", item.Symbol(),
                         item.sql, tied, where);
  }
}

std::string OracleGenerator::Unlisted() {
  if (random_.Chance(40)) {
    return fmt::format("SELECT * FROM orders WHERE symbol = {}", draft_->Symbol());
  }
  const Item item = Any();
  const std::string where = Where({item});
  return random_.Chance(70)
             ? fmt::format("SELECT {}, o.amount FROM {} JOIN orders o ON o.symbol = {}{}",
                           item.Symbol(), item.sql, item.Symbol(), where)
             : fmt::format("SELECT {} FROM {}{}", item.Symbol(), item.sql,
                           Where({item}, {fmt::format("{} IN (SELECT symbol FROM orders)",
                                                      item.Symbol())}));
}

std::string OracleGenerator::NoTable() {
  switch (random_.Below(3)) {
    case 0:
      return fmt::format("SELECT {} AS symbol, {} AS n", draft_->Symbol(), Number());
    case 1:
      return fmt::format("VALUES ({}::text, 1), ('x', 2)", draft_->Symbol());
    default:
      return "SELECT g FROM generate_series(1, 3) g";
  }
}

std::string OracleGenerator::Volatile() {
  const Item item = Any();
  return fmt::format("SELECT {} FROM {}{}", item.Symbol(), item.sql,
                     Where({item}, {"random() < 2"}));
}

}  // namespace pgweir::test
