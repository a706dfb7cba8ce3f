#include "config/connect_query.h"

#include <optional>

#include "config/ini_value.h"

namespace pgweir::config {
namespace {

using Setting = std::pair<std::string, std::string>;

bool IsBlank(char c) { return c == ' ' || c == '\t' || (c >= '\n' && c <= '\r'); }

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

// Cuts the word, or the sign, that `text` begins with off it.
std::string_view TakeWord(std::string_view& text) {
  text = Trimmed(text);
  size_t length = 0;
  while (length < text.size() && IsNameCharacter(text[length])) ++length;
  if (length == 0 && !text.empty()) length = 1;
  const std::string_view word = text.substr(0, length);
  text = Trimmed(text.substr(length));
  return word;
}

std::vector<std::string_view> Statements(std::string_view text) {
  std::vector<std::string_view> statements;
  char quote = '\0';
  size_t begin = 0;
  for (size_t at = 0; at <= text.size(); ++at) {
    const bool ends = at == text.size() || (text[at] == ';' && quote == '\0');
    if (ends) {
      const std::string_view statement = Trimmed(text.substr(begin, at - begin));
      if (!statement.empty()) statements.push_back(statement);
      begin = at + 1;
    } else if (quote != '\0') {
      if (text[at] == quote) quote = '\0';
    } else if (text[at] == '\'' || text[at] == '"') {
      quote = text[at];
    }
  }
  return statements;
}

// One string in single quotes, or bare text, which is what a setting's own parser would get. None
// where the two differ: comments, escapes and lists of strings.
std::optional<std::string> ValueOf(std::string_view text) {
  if (text.empty() || text.find('\\') != std::string_view::npos ||
      text.find("--") != std::string_view::npos || text.find("/*") != std::string_view::npos) {
    return std::nullopt;
  }
  if (text.front() != '\'') {
    if (text.find('\'') != std::string_view::npos || EqualsIgnoringCase(text, "default")) {
      return std::nullopt;
    }
    return std::string(text);
  }
  std::string value;
  for (size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\'') {
      if (at + 1 == text.size()) return value;
      if (text[++at] != '\'') return std::nullopt;
    }
    value += text[at];
  }
  return std::nullopt;
}

// The words that give SET another grammar.
bool IsKeyword(std::string_view word) {
  for (const std::string_view keyword :
       {"local", "time", "transaction", "constraints", "xml", "names", "schema", "role",
        "authorization", "characteristics", "catalog"}) {
    if (EqualsIgnoringCase(word, keyword)) return true;
  }
  return false;
}

std::optional<Setting> ReadSet(std::string_view statement) {
  if (!EqualsIgnoringCase(TakeWord(statement), "set")) return std::nullopt;
  std::string_view name = TakeWord(statement);
  if (EqualsIgnoringCase(name, "session")) name = TakeWord(statement);
  if (name.empty() || !IsNameCharacter(name[0]) || IsKeyword(name)) return std::nullopt;
  const std::string_view sign = TakeWord(statement);
  if (sign != "=" && !EqualsIgnoringCase(sign, "to")) return std::nullopt;
  auto value = ValueOf(statement);
  if (!value.has_value()) return std::nullopt;
  return Setting(name, *std::move(value));
}

}  // namespace

StatusOr<std::vector<Setting>> SettingsOfConnectQuery(std::string_view text) {
  std::vector<Setting> settings;
  for (const std::string_view statement : Statements(text)) {
    if (EqualsIgnoringCase(statement, "select 1")) continue;
    auto setting = ReadSet(statement);
    if (!setting.has_value()) {
      return Error(sqlstate::kConfigFileError,
                   "only SET statements of one value are served: server connections are shared and "
                   "reset, so what a query does to one would be lost");
    }
    settings.push_back(*std::move(setting));
  }
  return settings;
}

}  // namespace pgweir::config
