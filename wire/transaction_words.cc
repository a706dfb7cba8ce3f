#include "wire/transaction_words.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/strings.h"

namespace pgweir::wire {
namespace {

bool IsWordByte(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// The text's words, in order; anything but words, spaces and a final semicolon makes it unusable.
bool PlainWords(std::string_view sql, std::vector<std::string_view>& words) {
  while (!sql.empty() && (sql.back() == ';' || absl::ascii_isspace(sql.back()))) {
    sql.remove_suffix(1);
  }
  size_t i = 0;
  while (i < sql.size()) {
    if (absl::ascii_isspace(sql[i])) {
      ++i;
      continue;
    }
    const size_t start = i;
    while (i < sql.size() && IsWordByte(sql[i])) ++i;
    if (i == start || words.size() == 8) return false;
    words.push_back(sql.substr(start, i - start));
  }
  return true;
}

bool Is(std::string_view word, std::string_view lower) {
  return absl::EqualsIgnoreCase(ToAbsl(word), ToAbsl(lower));
}

bool IsNumber(std::string_view word) {
  for (const char c : word) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

}  // namespace

bool MayBeSentAgain(std::string_view sql) {
  std::vector<std::string_view> words;
  if (!PlainWords(sql, words)) return false;
  if (words.empty()) return true;
  if (Is(words[0], "begin")) return true;
  if (Is(words[0], "start")) return words.size() > 1 && Is(words[1], "transaction");
  if (words.size() != 2) return false;
  return Is(words[0], "show") || (Is(words[0], "select") && IsNumber(words[1]));
}

bool MayCommit(std::string_view sql) {
  bool first = true;
  for (size_t i = 0; i < sql.size();) {
    if (!IsWordByte(sql[i])) {
      ++i;
      continue;
    }
    const size_t start = i;
    while (i < sql.size() && IsWordByte(sql[i])) ++i;
    const std::string_view word = sql.substr(start, i - start);
    if (Is(word, "commit")) return true;
    // END also closes a CASE, PREPARE also names a statement.
    if (first && (Is(word, "end") || Is(word, "prepare"))) return true;
    first = false;
  }
  return false;
}

}  // namespace pgweir::wire
