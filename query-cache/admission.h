#pragma once

#include <cstdint>
#include <string_view>

#include "query-cache/rules.h"
#include "router/catalog.h"
#include "router/statement_facts.h"

namespace pgweir::cache {

// Why an answer isn't taken from the cache, nor put into it.
enum class Refusal : uint8_t {
  kNone,
  // --- of the statement ---
  kNoRule,
  kOff,             // the rule's mode, or pgweir.cache = off
  kSeveral,         // more than one statement, or none
  kNotRead,         // it may write, lock, set …: not surely a read
  kUnknownName,     // it names what the catalog doesn't have
  kVaries,          // it asks for the time, or calls a function that is only stable
  kSamples,         // TABLESAMPLE
  kAsksConnection,  // about the connection it comes by
  kRowSecurity,     // a table has row-level security
  // --- of the request ---
  kRequest,       // not one whole statement: a pipeline, a portal with a name, so many rows only
  kTransaction,   // within a transaction that has written, or may see one moment only
  kSettings,      // what of its session decides the answer can't be known
  kSerializable,  // default_transaction_isolation
  kPrepared,      // prepared under other settings than the session has now
  kNowhere,       // it isn't known, or not allowed, where it goes
  kCount,
};
std::string_view Describe(Refusal refusal);

// What there is to say of a statement, whatever its values.
struct Admission {
  Refusal refusal = Refusal::kNoRule;  // whatever a rule says
  // The rule may allow these.
  bool varies = false;
  bool row_security = false;
  const Rule* rule = nullptr;  // the first that matches; lives as long as the Rules

  // Under this rule; null = under none, by the statement's own wish.
  Refusal Under(const Rule* by) const;
};
Admission Admit(const router::Facts& facts, std::string_view normalised,
                const router::Catalog& catalog, const Rules& rules);

}  // namespace pgweir::cache
