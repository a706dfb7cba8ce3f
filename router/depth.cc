#include "router/depth.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace pgweir::router {
namespace {

// Whatever takes an expression as its operand and is an expression again, without brackets.
constexpr std::array kDeepeningWords =
    std::to_array<std::string_view>({"at", "between", "case", "collate", "ilike", "in", "is",
                                     "isnull", "like", "not", "notnull", "operator", "similar"});
// Those whose chains may have commas between their links.
constexpr std::array kLinkingWords =
    std::to_array<std::string_view>({"except", "intersect", "join", "union"});
// These can't be chained without brackets.
constexpr std::array kFlatOperators =
    std::to_array<std::string_view>({"<", "<=", "<>", "!=", "=", ">", ">=", "=>", ":=", ".."});

template <size_t kSize>
bool Has(const std::array<std::string_view, kSize>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// What stands between a bracket and its partner. The deepest part of a chain may be its first link
// or its last, so what is in brackets counts from where the chain began.
struct Level {
  int links = 0;    // of the chain since the last comma
  int inner = 0;    // deepest bracket since then
  int deepest = 0;  // of the chains before
  int sticky = 0;   // links that no comma ends
  int past = 0;     // of the statements before

  void EndChain() {
    deepest = std::max(deepest, links + inner);
    links = inner = 0;
  }
  int Total() {
    EndChain();
    return std::max(past, deepest + sticky);
  }
  void EndStatement() {
    past = Total();
    deepest = sticky = 0;
  }
};

class DepthMeter {
 public:
  void Add(TokenKind kind, std::string_view text);
  Depth Finish();

 private:
  void Punctuation(char c);
  void Word(std::string_view word);
  void Close();

  std::vector<Level> levels_ = std::vector<Level>(1);
  Depth result_;
  int bodies_ = 0;  // BEGIN ATOMIC: statements within a statement
};

void DepthMeter::Add(TokenKind kind, std::string_view text) {
  if (kind == TokenKind::kPunctuation) return Punctuation(text[0]);
  if (kind == TokenKind::kWord) return Word(text);
  if (kind == TokenKind::kOperator && !Has(kFlatOperators, text)) ++levels_.back().links;
}

void DepthMeter::Punctuation(char c) {
  if (c == '(' || c == '[') {
    levels_.emplace_back();
    result_.nesting = std::max(result_.nesting, static_cast<int>(levels_.size()) - 1);
  } else if (c == ')' || c == ']') {
    if (levels_.size() > 1) Close();
  } else if (c == ',') {
    levels_.back().EndChain();
  } else if (c == ';') {
    levels_.back().EndStatement();
  }
}

void DepthMeter::Close() {
  const int inner = levels_.back().Total() + 1;
  levels_.pop_back();
  levels_.back().inner = std::max(levels_.back().inner, inner);
}

void DepthMeter::Word(std::string_view word) {
  if (word.size() > 9) return;
  if (Has(kDeepeningWords, word)) {
    ++levels_.back().links;
  } else if (Has(kLinkingWords, word)) {
    ++levels_.back().sticky;
  } else if (word == "atomic") {
    ++bodies_;
  }
}

Depth DepthMeter::Finish() {
  while (levels_.size() > 1) Close();
  result_.depth = levels_.back().Total() + bodies_;
  return result_;
}

}  // namespace

Depth MeasureDepth(const SqlScan& scan) {
  DepthMeter meter;
  for (const Token& token : scan.tokens()) {
    const bool literal = token.kind != TokenKind::kPunctuation && token.kind != TokenKind::kWord &&
                         token.kind != TokenKind::kOperator;
    if (literal) continue;
    meter.Add(token.kind, scan.normalised().substr(token.normal_offset, token.span.length));
  }
  return meter.Finish();
}

}  // namespace pgweir::router
