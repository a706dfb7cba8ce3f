// Literals read back as what was quoted, and the words of a statement are found without a fault.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "wire/parameters.h"
#include "wire/transaction_words.h"

namespace {

// Reads one SQL literal as a server does: '' is a quote and, behind E, \\ a backslash.
std::string ReadLiteral(std::string_view sql) {
  const bool escapes = sql.starts_with('E');
  sql.remove_prefix(escapes ? 1 : 0);
  if (sql.size() < 2 || sql.front() != '\'' || sql.back() != '\'') std::abort();
  std::string value;
  for (size_t i = 1; i + 1 < sql.size(); ++i) {
    const char c = sql[i];
    if (c == '\'' || (escapes && c == '\\')) {
      if (i + 2 >= sql.size() || sql[i + 1] != c) std::abort();  // the literal ends early
      ++i;
    } else if (c == '\\') {
      std::abort();  // means two things, by standard_conforming_strings
    }
    value += c;
  }
  return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (ReadLiteral(pgweir::wire::QuoteLiteral(text)) != text) std::abort();
  pgweir::wire::MayBeSentAgain(text);
  pgweir::wire::MayCommit(text);
  return 0;
}
