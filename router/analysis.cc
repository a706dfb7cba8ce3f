#include "router/analysis.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "router/big_stack.h"
#include "router/depth.h"
#include "router/digest_text.h"
#include "router/parse_tree.h"
#include "router/query_walk.h"
#include "router/statement_walk.h"
#include "router/text_hash.h"

namespace pgweir::router {
namespace {

// A tree this deep has touched more of the big stack than is worth keeping.
constexpr int kDeep = 100;

std::string_view NormalText(const SqlScan& scan, const Token& token) {
  return scan.normalised().substr(token.normal_offset, token.span.length);
}

// The name that an identifier's token stands for; "" for U&"…", whose value is not looked at.
std::string NameOf(std::string_view sql, const SqlScan& scan, const Token& token) {
  if (token.kind == TokenKind::kWord) return std::string(NormalText(scan, token));
  if (token.kind != TokenKind::kQuotedName) return "";
  std::string name;
  const std::string_view quoted = token.span.In(sql);
  for (size_t i = 1; i + 1 < quoted.size(); ++i) {
    name += quoted[i];
    if (quoted[i] == '"') ++i;
  }
  return name;
}

class Analysis {
 public:
  Analysis(std::string_view sql, const SqlScan& scan) : sql_(sql), scan_(scan) {}

  Facts Make();

 private:
  std::string Bound();
  void Parse();
  void AddStatement(const PgQuery__RawStmt& raw);
  void SetRange(StatementFacts& facts, size_t first, size_t end) const;
  void FindPreparedName(StatementFacts& facts) const;
  bool NamesTemporary(const StatementFacts& facts) const;
  void NoteKeywords(StatementFacts& facts) const;
  int HighestParameter() const;
  void NotUnderstood(std::string why);
  size_t TokenAt(size_t normal_offset) const;

  std::string_view sql_;
  const SqlScan& scan_;
  Depth depth_;
  Facts facts_;
};

Facts Analysis::Make() {
  facts_.digest = HashText(DigestText().Make(scan_));
  facts_.parameters = HighestParameter();
  std::string bound = Bound();
  if (!bound.empty()) {
    NotUnderstood(std::move(bound));
  } else if (scan_.tokens().empty()) {
    facts_.statements.emplace_back().kind = StatementKind::kEmpty;
  } else {
    Parse();
  }
  for (const StatementFacts& statement : facts_.statements) facts_.effects |= statement.effects;
  return std::move(facts_);
}

// Why the text may not be given to the grammar, "" when it may.
std::string Analysis::Bound() {
  if (!scan_.complete()) return scan_.fault();
  // The grammar takes a C string. Such a byte can only be in a quoted identifier.
  if (scan_.normalised().find('\0') != std::string_view::npos)
    return "a zero byte in an identifier";
  depth_ = MeasureDepth(scan_);
  if (depth_.nesting > kMaxNesting || depth_.depth > kMaxDepth) return "nested too deep";
  return "";
}

void Analysis::Parse() {
  std::string fault = WithParseTree(scan_.normalised(), [this](const PgQuery__ParseResult& tree) {
    for (size_t i = 0; i < tree.n_stmts; ++i) AddStatement(*tree.stmts[i]);
  });
  if (depth_.depth > kDeep) ReleaseBigStack();
  if (!fault.empty()) return NotUnderstood(std::move(fault));
  // Nothing but semicolons.
  if (facts_.statements.empty()) facts_.statements.emplace_back().kind = StatementKind::kEmpty;
}

void Analysis::AddStatement(const PgQuery__RawStmt& raw) {
  StatementFacts& facts = facts_.statements.emplace_back();
  const auto begin = static_cast<size_t>(raw.stmt_location);
  const size_t length = raw.stmt_len > 0 ? static_cast<size_t>(raw.stmt_len) : std::string::npos;
  SetRange(facts, TokenAt(begin),
           length == std::string::npos ? scan_.tokens().size() : TokenAt(begin + length));
  if (raw.stmt) WalkStatement(*raw.stmt, scan_, facts, facts_.settings);
  if (NamesTemporary(facts)) facts.effects |= kTemporary;
  NoteKeywords(facts);
  FindPreparedName(facts);
}

// The first token that begins there or later.
size_t Analysis::TokenAt(size_t normal_offset) const {
  const auto tokens = scan_.tokens();
  const auto found = std::lower_bound(
      tokens.begin(), tokens.end(), normal_offset,
      [](const Token& token, size_t offset) { return token.normal_offset < offset; });
  return static_cast<size_t>(found - tokens.begin());
}

void Analysis::SetRange(StatementFacts& facts, size_t first, size_t end) const {
  if (first >= end) return;
  const auto tokens = scan_.tokens();
  const Span& last = tokens[end - 1].span;
  facts.first_token = static_cast<uint32_t>(first);
  facts.tokens = static_cast<uint32_t>(end - first);
  facts.offset = tokens[first].span.offset;
  facts.length = last.offset + last.length - facts.offset;
}

// Where the name stands behind its keyword. The keyword may be a name elsewhere in the statement,
// so both must fit.
void Analysis::FindPreparedName(StatementFacts& facts) const {
  if (facts.prepared_name.empty()) return;
  const bool prepares = facts.effects & kPrepares;
  const bool executes = facts.effects & kExecutes;
  const std::string_view keyword = prepares ? "prepare" : executes ? "execute" : "deallocate";
  const auto tokens = scan_.tokens();
  for (size_t i = facts.first_token; i + 1 < facts.first_token + facts.tokens; ++i) {
    if (tokens[i].kind != TokenKind::kWord || NormalText(scan_, tokens[i]) != keyword) continue;
    size_t name = i + 1;
    // DEALLOCATE PREPARE name
    if (!prepares && !executes && name + 1 < facts.first_token + facts.tokens) ++name;
    // The grammar cuts names at 63 bytes.
    const std::string found = NameOf(sql_, scan_, tokens[name]);
    if (!found.starts_with(facts.prepared_name)) continue;
    if (found.size() > facts.prepared_name.size() && found.size() < 64) continue;
    facts.name_token = static_cast<int>(name);
    return;
  }
}

// Wherever the name stands: of a relation, a function, a type, in search_path.
bool Analysis::NamesTemporary(const StatementFacts& facts) const {
  for (const Token& token : scan_.tokens().subspan(facts.first_token, facts.tokens)) {
    const std::string_view text = NormalText(scan_, token);
    const bool begins = text.starts_with("pg_temp") || text.starts_with("\"pg_temp");
    if (begins && IsTemporarySchema(NameOf(sql_, scan_, token))) return true;
  }
  return false;
}

// All of them are reserved, so that as names they stand in quotes, or behind a point.
void Analysis::NoteKeywords(StatementFacts& facts) const {
  constexpr std::array<std::string_view, 5> kTimes = {
      "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"};
  for (const Token& token : scan_.tokens().subspan(facts.first_token, facts.tokens)) {
    if (token.kind != TokenKind::kWord) continue;
    const std::string_view word = NormalText(scan_, token);
    facts.samples = facts.samples || word == "tablesample";
    facts.asks_time =
        facts.asks_time || std::find(kTimes.begin(), kTimes.end(), word) != kTimes.end();
  }
}

int Analysis::HighestParameter() const {
  int highest = 0;
  for (const Token& token : scan_.tokens()) {
    if (token.kind != TokenKind::kParameter) continue;
    const std::string_view digits = token.span.In(sql_).substr(1);
    int number = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec == std::errc()) {
      highest = std::max(highest, number);
    }
  }
  return highest;
}

void Analysis::NotUnderstood(std::string why) {
  facts_.not_understood = std::move(why);
  facts_.settings.clear();
  facts_.statements.clear();
  StatementFacts& whole = facts_.statements.emplace_back();
  SetRange(whole, 0, scan_.tokens().size());
  whole.effects = kUnseen | kWrites;
  for (const Token& token : scan_.tokens()) {
    std::string name = NameOf(sql_, scan_, token);
    if (!name.empty()) facts_.words.push_back(std::move(name));
  }
  std::sort(facts_.words.begin(), facts_.words.end());
  facts_.words.erase(std::unique(facts_.words.begin(), facts_.words.end()), facts_.words.end());
}

}  // namespace

Facts Analyse(std::string_view sql, const SqlScan& scan) { return Analysis(sql, scan).Make(); }

}  // namespace pgweir::router
