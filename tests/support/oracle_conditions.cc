// Conditions: those on a symbol's column, those that look like it, and those of queries within.

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "tests/support/oracle_generator.h"

namespace pgweir::test {
namespace {

constexpr int kMostQueries = 2;  // within each other

}  // namespace

std::string OracleGenerator::Condition(const Items& items, int depth) {
  if (depth > 0 && random_.Chance(45)) {
    const std::string one = Condition(items, depth - 1);
    switch (random_.Below(6)) {
      case 0:
        return fmt::format("NOT ({})", one);
      case 1:
      case 2:
        return fmt::format("({} OR {})", one, Condition(items, depth - 1));
      default:
        return fmt::format("({} AND {})", one, Condition(items, depth - 1));
    }
  }
  const Item& item = random_.Pick(items);
  if (items.size() > 1 && random_.Chance(20)) {
    const Item& other = random_.Pick(items);
    return fmt::format("{} = {}", item.Symbol(), other.Symbol());
  }
  const int choice = random_.Below(20);
  if (choice < 12) return OfSymbol(item);
  if (choice < 18 || depth_ >= kMostQueries) return SaysLittle(item);
  return OfQuery(item);
}

std::string OracleGenerator::OfSymbol(const Item& item) {
  const std::string symbol = item.Symbol();
  OracleDraft& draft = *draft_;
  switch (random_.Below(24)) {
    case 0:
      return fmt::format("{} = {}", draft.Symbol(), symbol);
    case 1:
      return fmt::format("{} <> {}", symbol, draft.Symbol());
    case 2:
      return fmt::format("{} IN ({}, {})", symbol, draft.Symbol(), draft.Symbol());
    case 3:
      return fmt::format("{} NOT IN ({}, {})", symbol, draft.Symbol(),
                         random_.Chance(30) ? "NULL" : draft.Symbol());
    case 4:
      return fmt::format("{} = ANY ({})", symbol, draft.Symbols());
    case 5:
      return fmt::format("{} = ANY (ARRAY[{}, {}])", symbol, draft.Symbol(), draft.Symbol());
    case 6:
      return fmt::format("{} <> ALL ({})", symbol, draft.Symbols());
    case 7:
      return fmt::format("{} LIKE {}", symbol, draft.Pattern());
    case 8:
      return fmt::format("{} NOT LIKE {}", symbol, draft.Pattern());
    case 9:
      return fmt::format("{} ^@ {}", symbol, draft.Prefix());
    case 10:
      return fmt::format("starts_with({}, {})", symbol, draft.Prefix());
    case 11:
      return fmt::format("{} < {}", symbol, draft.Symbol());
    case 12:
      return fmt::format("{} >= {}", symbol, draft.Symbol());
    case 13:
      return fmt::format("{} <= {}", draft.Symbol(), symbol);
    case 14:
      return fmt::format("{} BETWEEN {} AND {}", symbol, draft.Symbol(), draft.Symbol());
    case 15:
      return fmt::format("{} NOT BETWEEN {} AND {}", symbol, draft.Symbol(), draft.Symbol());
    case 16:
      return fmt::format("({}, {}) = ({}, {})", symbol, item.Number(), draft.Symbol(), Number());
    case 17:
      return fmt::format("({0}, {1}) IN (({2}, {3}), ({4}, {5}))", symbol, item.Number(),
                         draft.Symbol(), Number(), draft.Symbol(), Number());
    default:
      return fmt::format("{} = {}", symbol, draft.Symbol());
  }
}

// A symbol stands there, but says nothing, or less than it seems to.
std::string OracleGenerator::SaysLittle(const Item& item) {
  const std::string symbol = item.Symbol();
  const auto value = [this] { return draft_->Symbol(); };
  switch (random_.Below(26)) {
    case 0:
      return fmt::format("{} IS NOT NULL", symbol);
    case 1:
      return fmt::format("{} IS NOT DISTINCT FROM {}", symbol, value());
    case 2:
      return fmt::format("{} IS DISTINCT FROM {}", symbol, value());
    case 3:
      return fmt::format("({} = {}) IS NOT TRUE", symbol, value());
    case 4:
      return fmt::format("({} = {}) IS TRUE", symbol, value());
    case 5:
      return fmt::format("({} = {}) = false", symbol, value());
    case 6:
      return fmt::format("upper({}) = {}", symbol, value());
    case 7:
      return fmt::format("{} || 'T' = {}", symbol, value());
    case 8:
      return fmt::format("left({}, 3) = {}", symbol, value());
    case 9:
      return fmt::format("{}::varchar(3) = {}", symbol, value());
    case 10:
      return fmt::format("{}::char(4) = {}", symbol, value());
    case 11:
      return fmt::format("{} = {} || ''", symbol, value());
    case 12:
      return fmt::format("{} = upper({})", symbol, value());
    case 13:
      return fmt::format("{} ILIKE {}", symbol, draft_->Pattern());
    case 14:
      return fmt::format("({}, {}) >= ({}, {})", symbol, item.Number(), value(), Number());
    case 15:
      return fmt::format("CASE WHEN {} = {} THEN {} > 1 ELSE true END", symbol, value(),
                         item.Number());
    case 16:
      return fmt::format("coalesce({}, '') = {}", symbol, value());
    case 17:
      return fmt::format("{} LIKE {} ESCAPE '!'", symbol, draft_->Prefix());
    case 18:
      return fmt::format("{} > ALL (ARRAY[{}, {}])", symbol, value(), draft_->Symbol());
    case 19:
      return fmt::format("{} = {}::char(3)", symbol, value());
    case 20:
      return fmt::format("{} = NULL", symbol);
    case 21:
      return fmt::format("{} = {} COLLATE \"C\"", symbol, value());
    case 22:
      return fmt::format("nullif({}, {}) = {}", symbol, value(), draft_->Symbol());
    default:
      return fmt::format("{} > {}", item.Number(), Number());
  }
}

std::string OracleGenerator::OfQuery(const Item& item) {
  ++depth_;
  const Item inner = random_.Chance(70) ? Table() : Any();
  const std::string tied = fmt::format("{} = {}", inner.Symbol(), item.Symbol());
  std::vector<std::string> conditions;
  std::string sql;
  switch (random_.Below(7)) {
    case 0:
    case 1:
      if (random_.Chance(80)) conditions.push_back(tied);
      sql = fmt::format("{}EXISTS (SELECT 1 FROM {}{})", random_.Chance(30) ? "NOT " : "",
                        inner.sql, Where({inner}, conditions));
      break;
    case 2:
    case 3:
      sql =
          fmt::format("{} {}IN (SELECT {} FROM {}{})", item.Symbol(),
                      random_.Chance(25) ? "NOT " : "", inner.Symbol(), inner.sql, Where({inner}));
      break;
    case 4:
      sql = fmt::format("{} = ANY (SELECT {} FROM {}{})", item.Symbol(), inner.Symbol(), inner.sql,
                        Where({inner}));
      break;
    default:
      if (random_.Chance(70)) conditions.push_back(tied);
      sql =
          fmt::format("{} {} (SELECT {} FROM {}{})", item.Number(), random_.Chance(50) ? ">=" : "<",
                      random_.Chance(50) ? "count(*)" : "max(" + inner.Number() + ")", inner.sql,
                      Where({inner}, conditions));
  }
  --depth_;
  return sql;
}

std::string OracleGenerator::Deciding(const Item& item) {
  const std::string symbol = item.Symbol();
  switch (random_.Below(10)) {
    case 0:
      return fmt::format("{} = {}", draft_->Key(), symbol);
    case 1:
      return fmt::format("{} IN ({}, {})", symbol, draft_->Key(), draft_->Key());
    case 2:
      return fmt::format("{} = ANY ({})", symbol, draft_->Keys());
    default:
      return fmt::format("{} = {}", symbol, draft_->Key());
  }
}

std::string OracleGenerator::Where(const Items& items, std::vector<std::string> conditions) {
  for (const Item& item : items) {
    if (item.owes && (decided() || random_.Chance(35))) conditions.push_back(Deciding(item));
  }
  if (random_.Chance(decided() ? 50 : 75)) conditions.push_back(Condition(items));
  if (conditions.empty()) return "";
  // Anywhere among them.
  const auto first = random_.Below(static_cast<int>(conditions.size()));
  std::swap(conditions[0], conditions[static_cast<size_t>(first)]);
  return fmt::format(" WHERE {}", fmt::join(conditions, " AND "));
}

}  // namespace pgweir::test
