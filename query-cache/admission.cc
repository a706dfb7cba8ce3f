#include "query-cache/admission.h"

#include "router/read_verdict.h"
#include "router/repeat_verdict.h"
#include "router/touched_tables.h"

namespace pgweir::cache {
namespace {

using router::ReadVerdict;
using router::RepeatVerdict;

Refusal OfFacts(const router::Facts& facts, const router::Catalog& catalog, Admission& admission) {
  if (!facts.not_understood.empty()) return Refusal::kNotRead;
  if (facts.statements.size() != 1) return Refusal::kSeveral;
  const router::StatementFacts& statement = facts.statements.front();
  if (statement.kind != router::StatementKind::kSelect) return Refusal::kNotRead;
  // Its method would be taken for the name of a function that isn't there.
  if (statement.samples) return Refusal::kSamples;
  const ReadVerdict reads = router::JudgeRead(statement, catalog);
  if (reads == ReadVerdict::kUnknownName) return Refusal::kUnknownName;
  if (reads != ReadVerdict::kRead) return Refusal::kNotRead;
  switch (router::JudgeRepeat(statement, catalog)) {
    case RepeatVerdict::kSamples:
      return Refusal::kSamples;
    case RepeatVerdict::kAsksConnection:
      return Refusal::kAsksConnection;
    case RepeatVerdict::kVaries:
      admission.varies = true;
      break;
    case RepeatVerdict::kSame:
      break;
  }
  for (const uint32_t index : router::TablesRead(statement, catalog).relations) {
    admission.row_security = admission.row_security || catalog.relations()[index].row_security;
  }
  return Refusal::kNone;
}

}  // namespace

std::string_view Describe(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone:
      return "cached";
    case Refusal::kNoRule:
      return "no rule is for it";
    case Refusal::kOff:
      return "switched off";
    case Refusal::kSeveral:
      return "not one statement";
    case Refusal::kNotRead:
      return "not surely a read";
    case Refusal::kUnknownName:
      return "names what the catalog doesn't have";
    case Refusal::kVaries:
      return "asks for the time or calls a stable function (allow_stable)";
    case Refusal::kSamples:
      return "samples";
    case Refusal::kAsksConnection:
      return "asks about its connection";
    case Refusal::kRowSecurity:
      return "row-level security (key_settings)";
    case Refusal::kRequest:
      return "not one whole statement in one request";
    case Refusal::kTransaction:
      return "its transaction has done more than read, or isn't READ COMMITTED";
    case Refusal::kSettings:
      return "settings that can't be known";
    case Refusal::kSerializable:
      return "serializable";
    case Refusal::kPrepared:
      return "prepared under other settings";
    case Refusal::kNowhere:
      return "no node is known for it";
    case Refusal::kCount:
      break;
  }
  return "";
}

Refusal Admission::Under(const Rule* by) const {
  if (refusal != Refusal::kNone) return refusal;
  if (by != nullptr && by->mode == config::CacheMode::kOff) return Refusal::kOff;
  if (varies && (by == nullptr || !by->allow_stable)) return Refusal::kVaries;
  if (row_security && (by == nullptr || by->key_settings.empty())) return Refusal::kRowSecurity;
  return Refusal::kNone;
}

Admission Admit(const router::Facts& facts, std::string_view normalised,
                const router::Catalog& catalog, const Rules& rules) {
  Admission admission;
  admission.refusal = OfFacts(facts, catalog, admission);
  std::vector<router::QualifiedName> tables;
  for (const router::StatementFacts& statement : facts.statements) {
    for (const router::Relation& relation : statement.relations) {
      for (const router::CatalogRelation* found : catalog.Find(relation.name)) {
        tables.push_back(found->name);
      }
    }
  }
  admission.rule = rules.Match({tables, facts.digest, normalised});
  return admission;
}

}  // namespace pgweir::cache
