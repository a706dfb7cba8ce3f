#pragma once

#include <string_view>

#include "router/catalog.h"
#include "router/sql_scanner.h"
#include "router/statement_facts.h"

namespace pgweir::router {

// Whether a statement that is surely a read (router/read_verdict.h) gives the same rows again to
// the same session as long as nothing is written, and why not.
enum class RepeatVerdict : uint8_t {
  kSame,
  kSamples,         // TABLESAMPLE
  kAsksConnection,  // about the connection it comes by
  kVaries,          // asks for the time, or calls a function that is only stable
};
RepeatVerdict JudgeRepeat(const StatementFacts& statement, const Catalog& catalog);

// Any verdict but kSame.
inline bool Varies(const StatementFacts& statement, const Catalog& catalog) {
  return JudgeRepeat(statement, catalog) != RepeatVerdict::kSame;
}

// Whether a literal or a parameter in text may be read as a moment that isn't always the same:
// 'now', 'today', 'tomorrow', 'yesterday', as the input of dates and times has them.
bool MayMeanNow(std::string_view value);
// Likewise a literal of the text, however it is written.
bool MayMeanNow(const Literal& literal, std::string_view text);
// Any of the text's literals; `scan` is of it.
bool NamesMoment(const SqlScan& scan, std::string_view text);

}  // namespace pgweir::router
