#include "router/digest_text.h"

#include <algorithm>
#include <iterator>

#include "fmt/format.h"

namespace pgweir::router {
namespace {

// Deeper constants are no constants.
constexpr int kMaxDepth = 16;
constexpr std::string_view kConstant = "$";

template <size_t N>
bool IsOneOf(std::string_view text, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

// Behind these a parenthesis opens no arguments.
constexpr std::string_view kBeforeParenthesis[] = {
    "all",   "and",    "any",    "as",   "between", "by",     "else",     "except", "exists",
    "from",  "having", "in",     "into", "is",      "join",   "key",      "like",   "limit",
    "not",   "offset", "on",     "or",   "over",    "select", "set",      "some",   "then",
    "union", "using",  "values", "when", "where",   "with",   "intersect"};

// Behind these, and operators, a sign belongs to its number.
constexpr std::string_view kBeforeOperand[] = {
    "and",       "between", "by",   "case",  "default", "distinct", "else",  "from", "having",
    "ilike",     "is",      "like", "limit", "not",     "offset",   "on",    "or",   "return",
    "returning", "select",  "then", "to",    "values",  "when",     "where", "for",  "if"};

constexpr std::string_view kConstantWords[] = {"null", "true", "false", "default"};

}  // namespace

std::string_view DigestText::Make(const SqlScan& scan) {
  tokens_ = scan.tokens();
  texts_.clear();
  folds_.clear();
  out_.clear();
  last_ = {};
  depth_ = 0;
  constants_ = 0;
  semicolon_ = false;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    texts_.push_back(IsLiteral(i)
                         ? std::string_view()
                         : scan.normalised().substr(token.normal_offset, token.span.length));
  }
  MatchBrackets();
  size_t at = 0;
  while (at < tokens_.size() || EndsFold(at)) at = Step(at);
  if (!scan.complete()) out_ += " ...";
  return out_;
}

void DigestText::MatchBrackets() {
  closing_.assign(tokens_.size(), 0);
  queries_.assign(tokens_.size() + 1, 0);
  std::vector<uint32_t> open;
  for (uint32_t i = 0; i < tokens_.size(); ++i) {
    queries_[i + 1] = queries_[i] + (Is(i, "select") ? 1 : 0);
    if (Is(i, "(") || Is(i, "[")) open.push_back(i);
    if ((Is(i, ")") || Is(i, "]")) && !open.empty()) {
      closing_[open.back()] = i;
      open.pop_back();
    }
  }
}

// Puts out what stands there, and says where to go on.
size_t DigestText::Step(size_t at) {
  if (EndsFold(at)) {
    Put(",");
    Put("...");
    const size_t resume = folds_.back().resume;
    folds_.pop_back();
    return resume;
  }
  if (Is(at, ";")) {
    semicolon_ = !out_.empty();
    return at + 1;
  }
  const bool begins = at == 0 || Is(at - 1, ";");
  if (begins) {
    const size_t end = BeginStatement(at);
    if (end != at) return end;
  }
  const bool listed = !folds_.empty() && folds_.back().depth == depth_;
  if (IsLiteral(at) || (listed && IsConstantWord(at))) {
    PutConstant();
    return at + 1;
  }
  if (IsSign(at)) return at + 1;
  if ((Is(at, "in") && Is(at + 1, "(")) || (Is(at, "array") && Is(at + 1, "["))) {
    return BeginList(at);
  }
  if (Is(at, "values") && Is(at + 1, "(")) return BeginRows(at);
  if (Is(at, "(") || Is(at, "[")) ++depth_;
  if ((Is(at, ")") || Is(at, "]")) && depth_ != 0) --depth_;
  Put(texts_[at]);
  return at + 1;
}

// SET, and what names something that lives as long as a session or transaction.
size_t DigestText::BeginStatement(size_t at) {
  const size_t end = EndOfStatement(at);
  if (Is(at, "set")) {
    size_t name = at + 1;
    if (Is(name, "session") || Is(name, "local")) ++name;
    while (IsName(name) && Is(name + 1, ".")) name += 2;
    const bool assigns = IsName(name) && (Is(name + 1, "=") || Is(name + 1, "to"));
    if (!assigns || name + 2 >= end) return at;
    for (; at < name + 2; ++at) Put(texts_[at]);
    PutConstant();
    return end;
  }
  size_t name = end - 1;
  constexpr std::string_view kNameLast[] = {"release", "close", "deallocate", "fetch", "move"};
  const bool to_savepoint =
      Is(at, "rollback") && end - at >= 3 && (Is(end - 2, "to") || Is(end - 2, "savepoint"));
  if (Is(at, "savepoint") || Is(at, "declare")) {
    name = at + 1;
  } else if (!IsOneOf(texts_[at], kNameLast) && !to_savepoint) {
    return at;
  }
  if (name <= at || name >= end || !IsName(name) || Is(name, "all")) return at;
  for (; at < name; ++at) IsLiteral(at) ? PutConstant() : Put(texts_[at]);
  PutConstant();
  return name + 1;
}

size_t DigestText::EndOfStatement(size_t at) const {
  while (at < texts_.size() && !Is(at, ";")) ++at;
  return at;
}

// IN ( and ARRAY [
size_t DigestText::BeginList(size_t at) {
  size_t first_end = 0;
  const size_t end = ConstantList(at + 1, 0, first_end);
  Put(texts_[at]);
  Put(texts_[at + 1]);
  ++depth_;
  if (end != 0) folds_.push_back({first_end, end - 1, depth_});
  return at + 2;
}

// VALUES (
size_t DigestText::BeginRows(size_t at) {
  const size_t open = at + 1;
  const size_t close = closing_[open];
  Put(texts_[at]);
  Put(texts_[open]);
  ++depth_;
  if (close == 0) return open + 1;
  size_t resume = close + 1;
  while (Is(resume, ",") && Is(resume + 1, "(") && closing_[resume + 1] != 0) {
    const size_t end = closing_[resume + 1] + 1;
    if (queries_[end] != queries_[resume]) break;
    resume = end;
  }
  folds_.push_back({close + 1, resume, depth_});
  return open + 1;
}

size_t DigestText::Constant(size_t at, int depth) const {
  if (depth > kMaxDepth || at >= tokens_.size()) return 0;
  size_t end = 0;
  size_t ignored = 0;
  if (Is(at, "(")) {
    end = ConstantList(at, depth + 1, ignored);
  } else if (Is(at, "[") || (Is(at, "array") && Is(at + 1, "["))) {
    end = ConstantList(Is(at, "[") ? at : at + 1, depth + 1, ignored);
  } else if (Is(at, "row") && Is(at + 1, "(")) {
    end = ConstantList(at + 1, depth + 1, ignored);
  } else {
    if (Is(at, "-") || Is(at, "+")) ++at;
    // date '2020-01-01'
    const bool typed = at + 1 < tokens_.size() && IsName(at) &&
                       tokens_[at + 1].kind == TokenKind::kString && IsLiteral(at + 1);
    if (typed) ++at;
    if (typed || (at < tokens_.size() && (IsLiteral(at) || IsConstantWord(at)))) end = at + 1;
  }
  while (end != 0 && Is(end, "::")) end = TypeName(end + 1);
  return end;
}

// From the opening to behind the closing bracket. At least one element.
size_t DigestText::ConstantList(size_t open, int depth, size_t& first_end) const {
  const size_t close = closing_[open];
  if (close == 0) return 0;
  size_t at = Constant(open + 1, depth);
  first_end = at;
  while (at != 0 && Is(at, ",")) at = Constant(at + 1, depth);
  return at == close ? close + 1 : 0;
}

// double precision, pg_catalog.numeric(10, 2), text[][]
size_t DigestText::TypeName(size_t at) const {
  const size_t begin = at;
  while (IsName(at) || (at != begin && Is(at, "."))) ++at;
  if (at == begin) return 0;
  while (Is(at, "(") || Is(at, "[")) {
    if (closing_[at] == 0) return 0;
    at = closing_[at] + 1;
  }
  return at;
}

bool DigestText::IsLiteral(size_t at) const {
  const TokenKind kind = tokens_[at].kind;
  // The UESCAPE '!' of a name is part of the name.
  const bool escapes_name = at >= 2 && kind == TokenKind::kString &&
                            tokens_[at - 2].kind == TokenKind::kUnicodeName &&
                            Is(at - 1, "uescape");
  return !escapes_name && (kind == TokenKind::kString || kind == TokenKind::kBits ||
                           kind == TokenKind::kHexBits || kind == TokenKind::kInteger ||
                           kind == TokenKind::kDecimal || kind == TokenKind::kParameter);
}

bool DigestText::IsConstantWord(size_t at) const {
  return tokens_[at].kind == TokenKind::kWord && IsOneOf(texts_[at], kConstantWords) &&
         (Is(at + 1, ",") || Is(at + 1, ")") || Is(at + 1, "]") || Is(at + 1, "::"));
}

// A sign that belongs to the number behind it.
bool DigestText::IsSign(size_t at) const {
  if (!Is(at, "-") && !Is(at, "+")) return false;
  if (at + 1 >= tokens_.size()) return false;
  const TokenKind next = tokens_[at + 1].kind;
  if (next != TokenKind::kInteger && next != TokenKind::kDecimal) return false;
  if (at == 0 || tokens_[at - 1].kind == TokenKind::kOperator) return true;
  return Is(at - 1, "(") || Is(at - 1, ",") || Is(at - 1, "[") || Is(at - 1, ":") ||
         IsOneOf(texts_[at - 1], kBeforeOperand);
}

bool DigestText::IsName(size_t at) const {
  if (at >= tokens_.size()) return false;
  const TokenKind kind = tokens_[at].kind;
  return kind == TokenKind::kWord || kind == TokenKind::kQuotedName ||
         kind == TokenKind::kUnicodeName;
}

void DigestText::Put(std::string_view text) {
  if (semicolon_) {
    semicolon_ = false;
    out_ += ';';
    last_ = ";";
  }
  if (NeedsSpace(text)) out_ += ' ';
  out_ += text;
  last_ = text;
}

void DigestText::PutConstant() {
  Put(kConstant);
  fmt::format_to(std::back_inserter(out_), "{}", ++constants_);
}

bool DigestText::NeedsSpace(std::string_view text) const {
  constexpr std::string_view kTightBefore[] = {")", "]", "[", ",", ".", "::", ":"};
  constexpr std::string_view kTightBehind[] = {"(", "[", ".", "::", ":"};
  if (out_.empty() || IsOneOf(text, kTightBefore) || IsOneOf(last_, kTightBehind)) return false;
  if (text != "(") return true;
  const char end = last_.back();
  const bool name = end == '"' || end == '_' || (end >= '0' && end <= '9') ||
                    (end >= 'a' && end <= 'z') || static_cast<unsigned char>(end) >= 0x80;
  return !name || IsOneOf(last_, kBeforeParenthesis);
}

}  // namespace pgweir::router
