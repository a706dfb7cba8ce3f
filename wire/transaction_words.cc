#include "wire/transaction_words.h"

#include "absl/strings/ascii.h"

namespace pgweir::wire {
namespace {

bool IsWordByte(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

bool IsSpace(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); }

// `lower` has nothing but small letters.
bool Is(std::string_view word, std::string_view lower) {
  if (word.size() != lower.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if ((word[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

// Takes the next word off the front, with the space before it; "" where something else stands.
std::string_view TakeWord(std::string_view& sql) {
  size_t start = 0;
  while (start < sql.size() && IsSpace(sql[start])) ++start;
  size_t end = start;
  while (end < sql.size() && IsWordByte(sql[end])) ++end;
  const std::string_view word = sql.substr(start, end - start);
  sql.remove_prefix(end);
  return word;
}

bool IsNumber(std::string_view word) {
  for (const char c : word) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return !word.empty();
}

// Nothing but spaces and semicolons is left.
bool AtEnd(std::string_view sql) {
  for (const char c : sql) {
    if (c != ';' && !IsSpace(c)) return false;
  }
  return true;
}

// Nothing but words is left, as in BEGIN ISOLATION LEVEL SERIALIZABLE.
bool OnlyWords(std::string_view sql) {
  while (!TakeWord(sql).empty()) {
  }
  return AtEnd(sql);
}

// "commit" at `at`, whatever its case, and no part of a longer word.
bool IsCommitAt(std::string_view sql, size_t at) {
  constexpr std::string_view kCommit = "commit";
  if (at > sql.size() || !Is(sql.substr(at, kCommit.size()), kCommit)) return false;
  const size_t end = at + kCommit.size();
  return (at == 0 || !IsWordByte(sql[at - 1])) && (end == sql.size() || !IsWordByte(sql[end]));
}

}  // namespace

bool MayBeSentAgain(std::string_view sql) {
  if (AtEnd(sql)) return true;
  const std::string_view first = TakeWord(sql);
  if (Is(first, "begin")) return OnlyWords(sql);
  if (Is(first, "start")) return Is(TakeWord(sql), "transaction") && OnlyWords(sql);
  if (Is(first, "show")) return !TakeWord(sql).empty() && AtEnd(sql);
  if (Is(first, "select")) return IsNumber(TakeWord(sql)) && AtEnd(sql);
  return false;
}

bool MayCommit(std::string_view sql) {
  // One of two neighbouring bytes is enough to find the double m.
  for (size_t i = 3; i < sql.size(); i += 2) {
    if ((sql[i] | 0x20) != 'm') continue;
    if (IsCommitAt(sql, i - 2) || IsCommitAt(sql, i - 3)) return true;
  }
  // END also closes a CASE, PREPARE also names a statement: they count at the beginning only.
  const std::string_view first = TakeWord(sql);
  return Is(first, "end") || Is(first, "prepare");
}

}  // namespace pgweir::wire
