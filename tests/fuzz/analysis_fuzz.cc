// Facts can be made of every text, and are the same for every text with the same normalised form.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "router/analysis.h"
#include "router/literal_value.h"
#include "router/statement_cache.h"

namespace {

using pgweir::router::Analyse;
using pgweir::router::Condition;
using pgweir::router::Facts;
using pgweir::router::FactsRef;
using pgweir::router::Literal;
using pgweir::router::SettingEffect;
using pgweir::router::SqlScan;
using pgweir::router::StatementCache;
using pgweir::router::StatementFacts;

void Demand(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void CheckStatement(const StatementFacts& statement, const SqlScan& scan) {
  Demand(statement.first_token + size_t{statement.tokens} <= scan.tokens().size(),
         "tokens outside");
  Demand(statement.name_token < static_cast<int>(scan.tokens().size()), "a name outside");
  for (const Condition& condition : statement.conditions) {
    Demand(condition.relation < static_cast<int>(statement.relations.size()), "no such relation");
    for (const Condition::Operand& operand : condition.operands) {
      Demand((operand.literal < 0) != (operand.parameter <= 0), "an operand is one or the other");
      Demand(operand.literal < static_cast<int>(scan.literals().size()), "no such literal");
    }
  }
}

void Check(const Facts& facts, const SqlScan& scan, std::string_view sql) {
  Demand(!facts.statements.empty(), "no statement");
  for (const StatementFacts& statement : facts.statements) CheckStatement(statement, scan);
  for (const SettingEffect& setting : facts.settings) SettingName(setting, sql, scan);
  for (const Literal& literal : scan.literals()) LiteralValue(sql, literal);
}

void CheckSame(const Facts& a, const Facts& b) {
  Demand(a.effects == b.effects, "other effects");
  Demand(a.not_understood == b.not_understood, "understood or not");
  Demand(a.settings.size() == b.settings.size(), "other settings");
  Demand(a.statements.size() == b.statements.size(), "other statements");
  for (size_t i = 0; i < a.statements.size(); ++i) {
    const StatementFacts& ours = a.statements[i];
    const StatementFacts& theirs = b.statements[i];
    Demand(ours.kind == theirs.kind && ours.first_token == theirs.first_token &&
               ours.tokens == theirs.tokens && ours.functions == theirs.functions &&
               ours.calls == theirs.calls && ours.call_columns == theirs.call_columns &&
               ours.relations.size() == theirs.relations.size() &&
               ours.conditions.size() == theirs.conditions.size(),
           "another statement");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string sql(reinterpret_cast<const char*>(data), size);
  SqlScan scan;
  scan.Scan(sql);
  const Facts facts = Analyse(sql, scan);
  Check(facts, scan, sql);
  for (const StatementFacts& statement : facts.statements) {
    Demand(statement.offset + size_t{statement.length} <= sql.size(), "a statement outside");
  }

  const std::string normal(scan.normalised());
  if (scan.complete()) {
    SqlScan again;
    again.Scan(normal);
    CheckSame(facts, Analyse(normal, again));
  }

  // Small, so that it is always full.
  static StatementCache cache(size_t{64} << 10);
  const FactsRef found = cache.Find(sql);
  Check(*found, cache.scan(), sql);
  if (scan.complete()) CheckSame(*found, facts);
  Demand(cache.bytes() <= size_t{64} << 10, "the cache is over its bound");
  return 0;
}
