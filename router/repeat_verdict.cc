#include "router/repeat_verdict.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "router/call_volatility.h"

namespace pgweir::router {
namespace {

// Stable ones that are not about the data.
constexpr std::array<std::string_view, 7> kOfConnection = {
    "inet_client_addr",      "inet_client_port",         "inet_server_addr", "inet_server_port",
    "txid_current_snapshot", "txid_current_if_assigned", "txid_snapshot_xip"};

constexpr std::array<std::string_view, 4> kMoments = {"now", "today", "tomorrow", "yesterday"};
// Longer ones, spaces left out, are no dates.
constexpr size_t kLongestMoment = 64;

bool IsSpace(char c) { return absl::ascii_isspace(static_cast<unsigned char>(c)); }
bool IsLetter(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }

bool EqualWord(std::string_view text, std::string_view word) {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
    return absl::ascii_tolower(static_cast<unsigned char>(a)) == b;
  });
}

}  // namespace

RepeatVerdict JudgeRepeat(const StatementFacts& statement, const Catalog& catalog) {
  if (statement.samples) return RepeatVerdict::kSamples;
  bool varies = statement.asks_time;
  for (const QualifiedName& function : statement.functions) {
    if (std::find(kOfConnection.begin(), kOfConnection.end(), function.name) !=
        kOfConnection.end()) {
      return RepeatVerdict::kAsksConnection;
    }
  }
  for (const CalledFunction& called : FunctionsCalled(statement, catalog)) {
    varies = varies || called.volatility != Volatility::kImmutable;
  }
  for (const Relation& relation : statement.relations) {
    for (const CatalogRelation* candidate : catalog.Find(relation.name)) {
      varies = varies || candidate->read_varies;
    }
  }
  return varies ? RepeatVerdict::kVaries : RepeatVerdict::kSame;
}

bool MayMeanNow(std::string_view value) {
  const auto spaces = static_cast<size_t>(std::count_if(value.begin(), value.end(), IsSpace));
  if (value.size() - spaces > kLongestMoment) return false;
  for (size_t at = 0; at < value.size();) {
    if (!IsLetter(value[at])) {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < value.size() && IsLetter(value[end])) ++end;
    const std::string_view word = value.substr(at, end - at);
    for (const std::string_view moment : kMoments) {
      if (EqualWord(word, moment)) return true;
    }
    at = end;
  }
  return false;
}

bool MayMeanNow(const Literal& literal, std::string_view text) {
  const std::string_view written = literal.span.In(text);
  switch (literal.kind) {
    case LiteralKind::kBits:
    case LiteralKind::kHexBits:
    case LiteralKind::kInteger:
    case LiteralKind::kDecimal:
      return false;
    case LiteralKind::kUnicode:
      return true;
    case LiteralKind::kEscape:
      if (written.find('\\') != std::string_view::npos) return true;
      break;
    case LiteralKind::kPlain:
    case LiteralKind::kDollar:
      break;
  }
  // Of pieces on several lines, a word may go on in the next.
  const bool has_pieces = std::count(written.begin(), written.end(), '\'') > 2 &&
                          written.find_first_of("\r\n") != std::string_view::npos;
  return has_pieces || MayMeanNow(written);
}

bool NamesMoment(const SqlScan& scan, std::string_view text) {
  const auto literals = scan.literals();
  return std::any_of(literals.begin(), literals.end(),
                     [&](const Literal& literal) { return MayMeanNow(literal, text); });
}

}  // namespace pgweir::router
