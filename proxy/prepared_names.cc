#include "proxy/prepared_names.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/strings.h"

namespace pgweir::proxy {
namespace {

using router::Token;
using router::TokenKind;
using Command = PreparedName::Command;

bool IsWord(const Token& token, std::string_view sql, std::string_view word) {
  return token.kind == TokenKind::kWord &&
         absl::EqualsIgnoreCase(ToAbsl(token.span.In(sql)), ToAbsl(word));
}

std::optional<Command> CommandOf(const Token& token, std::string_view sql) {
  if (IsWord(token, sql, "execute")) return Command::kExecute;
  if (IsWord(token, sql, "deallocate")) return Command::kDeallocate;
  if (IsWord(token, sql, "prepare")) return Command::kPrepare;
  return std::nullopt;
}

// As the server folds it: unquoted names to lower case, ASCII only.
std::string NameIn(const Token& token, std::string_view sql) {
  const std::string_view text = token.span.In(sql);
  std::string name;
  if (token.kind == TokenKind::kWord) {
    name = text;
    absl::AsciiStrToLower(&name);
    return name;
  }
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '"') ++i;  // doubled
    name += text[i];
  }
  return name;
}

}  // namespace

std::vector<PreparedName> FindPreparedNames(std::string_view sql, const router::SqlScan& scan) {
  std::vector<PreparedName> names;
  const auto tokens = scan.tokens();
  for (size_t i = 0; i + 1 < tokens.size(); ++i) {
    const std::optional<Command> command = CommandOf(tokens[i], sql);
    if (!command.has_value()) continue;
    size_t at = i + 1;
    if (*command == Command::kDeallocate && IsWord(tokens[at], sql, "prepare")) ++at;
    if (at >= tokens.size()) break;
    const Token& token = tokens[at];
    if (token.kind != TokenKind::kWord && token.kind != TokenKind::kQuotedName) continue;
    names.push_back({*command, token.span, NameIn(token, sql)});
    i = at;
  }
  return names;
}

}  // namespace pgweir::proxy
