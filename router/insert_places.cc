#include "router/insert_places.h"

#include "absl/strings/match.h"
#include "base/strings.h"

namespace pgweir::router {
namespace {

class InsertReader {
 public:
  InsertReader(std::string_view sql, std::span<const Token> tokens) : sql_(sql), tokens_(tokens) {}

  std::optional<InsertPlaces> Read() {
    if (!Take("insert") || !Take("into") || !TakeTarget()) return std::nullopt;
    places_.target_end = at_;
    if (Sees("(") && !TakeList()) return std::nullopt;
    places_.values = at_;
    if (Take("overriding")) {
      places_.overrides = true;
      if ((!Take("system") && !Take("user")) || !Take("value")) return std::nullopt;
    }
    if (!Take("values")) return std::nullopt;
    do {
      if (!TakeRow()) return std::nullopt;
    } while (Take(","));
    const bool ended = at_ == tokens_.size() || Sees(";") || Sees("on") || Sees("returning");
    return ended ? std::optional(std::move(places_)) : std::nullopt;
  }

 private:
  // A word or punctuation; names in quotes are neither.
  bool Sees(std::string_view what) const {
    if (at_ >= tokens_.size()) return false;
    const Token& token = tokens_[at_];
    return (token.kind == TokenKind::kWord || token.kind == TokenKind::kPunctuation) &&
           absl::EqualsIgnoreCase(ToAbsl(token.span.In(sql_)), ToAbsl(what));
  }
  bool Take(std::string_view what) {
    const bool sees = Sees(what);
    if (sees) ++at_;
    return sees;
  }
  bool TakeName() {
    const bool sees = at_ < tokens_.size() && (tokens_[at_].kind == TokenKind::kWord ||
                                               tokens_[at_].kind == TokenKind::kQuotedName);
    if (sees) ++at_;
    return sees;
  }
  bool TakeTarget() {
    do {
      if (!TakeName()) return false;
    } while (Take("."));
    return !Take("as") || TakeName();
  }

  bool TakeList() {
    InsertPlaces::Row list;
    if (!TakeParenthesis(list)) return false;
    places_.list_end = list.end;
    return true;
  }
  bool TakeRow() { return TakeParenthesis(places_.rows.emplace_back()); }

  // (…, …): what its outermost commas part.
  bool TakeParenthesis(InsertPlaces::Row& row) {
    if (!Take("(")) return false;
    size_t from = at_;
    for (int depth = 1; at_ < tokens_.size(); ++at_) {
      const Token& token = tokens_[at_];
      const std::string_view text = token.span.In(sql_);
      if (token.kind == TokenKind::kOperator && text.starts_with('*') && at_ > 0) {
        row.expands = row.expands || tokens_[at_ - 1].span.In(sql_) == ".";
      }
      if (token.kind != TokenKind::kPunctuation) continue;
      if (text == "(" || text == "[") ++depth;
      if (text == ")" || text == "]") --depth;
      const bool ends = depth == 0;
      if (!ends && (depth > 1 || text != ",")) continue;
      row.values.push_back(tokens_.subspan(from, at_ - from));
      from = at_ + 1;
      if (!ends) continue;
      row.end = at_++;
      return true;
    }
    return false;
  }

  const std::string_view sql_;
  const std::span<const Token> tokens_;
  size_t at_ = 0;
  InsertPlaces places_;
};

}  // namespace

std::optional<InsertPlaces> FindInsertPlaces(std::string_view sql, std::span<const Token> tokens) {
  return InsertReader(sql, tokens).Read();
}

}  // namespace pgweir::router
