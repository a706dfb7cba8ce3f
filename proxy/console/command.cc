#include "proxy/console/command.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/strings.h"

namespace pgweir::proxy {
namespace {

using Kind = Command::Kind;

struct Token {
  enum class Kind : uint8_t { kWord, kName, kString, kSign } kind;  // kName: in double quotes
  std::string text;
  size_t end;  // behind it in the statement
};

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsSign(char c) { return c == '=' || c == ';' || c == ','; }

// Skips blanks and comments. An unclosed comment reaches to the end.
size_t SkipBlanks(std::string_view text, size_t at) {
  while (at < text.size()) {
    if (IsSpace(text[at])) {
      ++at;
    } else if (text.substr(at, 2) == "--") {
      at = std::min(text.find('\n', at), text.size());
    } else if (text.substr(at, 2) == "/*") {
      const size_t end = text.find("*/", at + 2);
      at = end == std::string_view::npos ? text.size() : end + 2;
    } else {
      break;
    }
  }
  return at;
}

// The text in quotes that begins at `at`, a doubled quote standing for one; none when it is not
// closed.
std::optional<Token> Quoted(std::string_view text, size_t at) {
  const char quote = text[at];
  Token token{quote == '\'' ? Token::Kind::kString : Token::Kind::kName, "", at};
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] != quote) {
      token.text += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == quote) {
      token.text += text[i++];
    } else {
      token.end = i + 1;
      return token;
    }
  }
  return std::nullopt;
}

// The token at `at`, which is no blank; none when a quote is not closed.
std::optional<Token> Next(std::string_view text, size_t at) {
  if (text[at] == '\'' || text[at] == '"') return Quoted(text, at);
  if (IsSign(text[at])) return Token{Token::Kind::kSign, std::string(1, text[at]), at + 1};
  size_t end = at;
  while (end < text.size() && !IsSpace(text[end]) && !IsSign(text[end]) && text[end] != '\'' &&
         text[end] != '"') {
    ++end;
  }
  return Token{Token::Kind::kWord, std::string(text.substr(at, end - at)), end};
}

std::string Lower(std::string_view text) { return absl::AsciiStrToLower(ToAbsl(text)); }

// Settings of a session that drivers ask for or set when they log in, with their values here.
struct SessionSetting {
  std::string_view name, value;
};
constexpr std::array kSessionSettings = {
    SessionSetting{"client_encoding", "UTF8"},
    SessionSetting{"server_encoding", "UTF8"},
    SessionSetting{"DateStyle", "ISO"},
    SessionSetting{"TimeZone", "GMT"},
    SessionSetting{"default_transaction_isolation", "read committed"},
    SessionSetting{"transaction_isolation", "read committed"},
    SessionSetting{"default_transaction_read_only", "off"},
    SessionSetting{"standard_conforming_strings", "on"},
    SessionSetting{"extra_float_digits", "1"},
    SessionSetting{"application_name", ""},
    SessionSetting{"client_min_messages", "notice"},
    SessionSetting{"statement_timeout", "0"},
    SessionSetting{"search_path", ""},
    SessionSetting{"bytea_output", "hex"},
};

const SessionSetting* FindSessionSetting(std::string_view name) {
  const auto it = std::find_if(
      kSessionSettings.begin(), kSessionSettings.end(),
      [&](const auto& s) { return absl::EqualsIgnoreCase(ToAbsl(s.name), ToAbsl(name)); });
  return it == kSessionSettings.end() ? nullptr : &*it;
}

// Commands that take nothing, a name that may be left out, or one that must be there.
enum class Argument : uint8_t { kNone, kOptional, kNeeded };
struct Word {
  std::string_view word;
  Kind kind;
  Argument argument;
};
constexpr std::array kWords = {
    Word{"pause", Kind::kPause, Argument::kOptional},
    Word{"resume", Kind::kResume, Argument::kOptional},
    Word{"disable", Kind::kDisable, Argument::kNeeded},
    Word{"enable", Kind::kEnable, Argument::kNeeded},
    Word{"kill", Kind::kKill, Argument::kOptional},
    Word{"kill_client", Kind::kKillClient, Argument::kNeeded},
    Word{"reconnect", Kind::kReconnect, Argument::kOptional},
    Word{"reload", Kind::kReload, Argument::kNone},
    Word{"wait_close", Kind::kWaitClose, Argument::kOptional},
    Word{"suspend", Kind::kSuspend, Argument::kNone},
    Word{"shutdown", Kind::kShutdown, Argument::kOptional},
};

class Parser {
 public:
  Parser(std::string_view statement, std::vector<Token> tokens)
      : statement_(statement), tokens_(std::move(tokens)) {}

  StatusOr<Command> Parse() const {
    if (tokens_.empty()) return Command{};
    const std::string first = Keyword(0);
    if (first == "show" || first == "select") return Show(first == "select");
    if (first == "set") return Keyword(1) == "shard" && !Assigns(2) ? Shard() : Set();
    if (first == "drop" && Keyword(1) == "shard") return Shard();
    if (first == "explain") return Explain();
    if (first == "cache") return Keyword(1) == "warm" ? CacheWarm() : CacheFlush();
    if (first == "begin" || first == "start") return Command{Kind::kBegin, "BEGIN"};
    if (first == "commit" || first == "end") return Command{Kind::kEnd, "COMMIT"};
    if (first == "rollback" || first == "abort") return Command{Kind::kEnd, "ROLLBACK"};
    if (first == "discard" && Keyword(1) == "all") return Command{Kind::kIgnored, "DISCARD ALL"};
    if (first == "deallocate") {
      return Command{Kind::kIgnored, Keyword(1) == "all" ? "DEALLOCATE ALL" : "DEALLOCATE"};
    }
    if (first == "reset") return Reset();
    const auto word = std::find_if(kWords.begin(), kWords.end(),
                                   [&](const Word& known) { return known.word == first; });
    if (word == kWords.end()) return Invalid();
    return Action(*word);
  }

 private:
  Status Invalid() const {
    return Errorf(sqlstate::kProtocolViolation, "invalid command '{}', use SHOW HELP;", statement_);
  }

  // The word in small letters; "" when there is none at this place.
  std::string Keyword(size_t i) const {
    return i < tokens_.size() && tokens_[i].kind == Token::Kind::kWord ? Lower(tokens_[i].text)
                                                                       : "";
  }

  static Command ShowSetting(std::string_view name) {
    const SessionSetting* setting = FindSessionSetting(name);
    return {Kind::kShowSetting, std::string(setting->name), std::string(setting->value),
            setting->name};
  }

  StatusOr<Command> Show(bool select) const {
    if (select && tokens_.size() == 2 && tokens_[1].text == "1") return Command{Kind::kSelectOne};
    if (Keyword(1) == "transaction" && Keyword(2) == "isolation") {
      return ShowSetting("transaction_isolation");
    }
    if (Keyword(1) == "time" && Keyword(2) == "zone") {
      return ShowSetting("TimeZone");
    }
    // SHOW CACHE [RULES | TABLES | DIGESTS]
    if (Keyword(1) == "cache" && tokens_.size() == 3) {
      return Command{Kind::kShow, "cache_" + Keyword(2)};
    }
    if (tokens_.size() != 2) return Invalid();
    if (FindSessionSetting(tokens_[1].text) != nullptr) return ShowSetting(tokens_[1].text);
    return Command{Kind::kShow, Lower(tokens_[1].text)};
  }

  bool Assigns(size_t i) const {
    const bool sign = i < tokens_.size() && tokens_[i].kind == Token::Kind::kSign;
    return (sign && tokens_[i].text == "=") || Keyword(i) == "to";
  }

  // [DATABASE name] from the place `at` on, which moves behind it.
  std::string DatabaseAt(size_t& at) const {
    if (Keyword(at) != "database" || at + 1 >= tokens_.size()) return "";
    at += 2;
    return tokens_[at - 1].text;
  }

  // SET SHARD [DATABASE name] 'pattern' TO node, DROP SHARD [DATABASE name] 'pattern'
  StatusOr<Command> Shard() const {
    const bool sets = Keyword(0) == "set";
    Command command{sets ? Kind::kSetShard : Kind::kDropShard};
    size_t at = 2;
    command.database = DatabaseAt(at);
    const size_t end = sets ? at + 3 : at + 1;
    if (tokens_.size() != end || tokens_[at].kind == Token::Kind::kSign) return Invalid();
    command.name = tokens_[at].text;
    if (!sets) return command;
    if (!Assigns(at + 1) || tokens_[at + 2].kind == Token::Kind::kSign) return Invalid();
    command.value = tokens_[at + 2].text;
    return command;
  }

  // CACHE FLUSH [DATABASE name | TABLE name | RULE number | DIGEST digest]
  StatusOr<Command> CacheFlush() const {
    if (Keyword(1) != "flush") return Invalid();
    if (tokens_.size() == 2) return Command{Kind::kCacheFlush};
    const std::string of = Keyword(2);
    const bool known = of == "database" || of == "table" || of == "rule" || of == "digest";
    if (!known || tokens_.size() != 4 || tokens_[3].kind == Token::Kind::kSign) return Invalid();
    return Command{Kind::kCacheFlush, of, tokens_[3].text};
  }

  // CACHE WARM FILE 'path' [DATABASE name] [USER name]
  StatusOr<Command> CacheWarm() const {
    Command command{Kind::kCacheWarm};
    if (Keyword(2) != "file" || tokens_.size() < 4) return Invalid();
    if (tokens_[3].kind != Token::Kind::kString) return Invalid();
    command.value = tokens_[3].text;
    size_t at = 4;
    command.database = DatabaseAt(at);
    if (Keyword(at) == "user" && at + 1 < tokens_.size()) {
      command.name = tokens_[at + 1].text;
      at += 2;
    }
    if (at != tokens_.size()) return Invalid();
    return command;
  }

  // RESET DIGESTS | SLOW | SYMBOLS; any other is of the session
  Command Reset() const {
    const std::string what = Keyword(1);
    const bool noted = what == "digests" || what == "slow" || what == "symbols";
    if (!noted || tokens_.size() != 2) return {Kind::kIgnored, "RESET"};
    return {Kind::kForget, what};
  }

  // EXPLAIN ROUTE | CACHE [DATABASE name] 'SQL'
  StatusOr<Command> Explain() const {
    Command command{Keyword(1) == "cache" ? Kind::kExplainCache : Kind::kExplainRoute};
    size_t at = 2;
    if (Keyword(1) != "route" && Keyword(1) != "cache") return Invalid();
    command.database = DatabaseAt(at);
    if (tokens_.size() != at + 1 || tokens_[at].kind != Token::Kind::kString) return Invalid();
    command.value = tokens_[at].text;
    return command;
  }

  // SET [SESSION | LOCAL] key = | TO value
  StatusOr<Command> Set() const {
    size_t at = 1;
    if (Keyword(at) == "session" || Keyword(at) == "local") ++at;
    const std::string key = at < tokens_.size() ? Lower(tokens_[at].text) : "";
    const bool of_session = key == "characteristics" || key == "transaction" || key == "names" ||
                            (key == "time" && Keyword(at + 1) == "zone") ||
                            FindSessionSetting(key) != nullptr;
    if (of_session) return Command{Kind::kIgnored, "SET"};
    ++at;
    if (at >= tokens_.size()) return Invalid();
    if (!Assigns(at) || at + 2 != tokens_.size()) return Invalid();
    return Command{Kind::kSet, key, tokens_[at + 1].text};
  }

  StatusOr<Command> Action(const Word& word) const {
    if (tokens_.size() > 2) return Invalid();
    const bool given = tokens_.size() == 2;
    if (given && word.argument == Argument::kNone) return Invalid();
    if (!given && word.argument == Argument::kNeeded) {
      return Error(sqlstate::kProtocolViolation, word.kind == Kind::kKillClient
                                                     ? "invalid client pointer supplied"
                                                     : "a database is required");
    }
    return Command{word.kind, given ? tokens_[1].text : ""};
  }

  const std::string_view statement_;
  const std::vector<Token> tokens_;
};

}  // namespace

std::vector<std::string> SplitStatements(std::string_view text) {
  std::vector<std::string> statements;
  size_t start = SkipBlanks(text, 0);
  size_t at = start;
  const auto end_statement = [&] {
    size_t end = at;
    while (end > start && IsSpace(text[end - 1])) --end;
    if (end > start) statements.emplace_back(text.substr(start, end - start));
  };
  while (at < text.size()) {
    const auto token = Next(text, at);
    if (token.has_value() && token->text == ";" && token->kind == Token::Kind::kSign) {
      end_statement();
      start = at = SkipBlanks(text, token->end);
      continue;
    }
    at = token.has_value() ? SkipBlanks(text, token->end) : text.size();
  }
  end_statement();
  return statements;
}

std::vector<std::string_view> CommandWords() {
  std::vector<std::string_view> words;
  for (const Word& word : kWords) words.push_back(word.word);
  return words;
}

Columns OwnColumns(const Command& command) {
  if (command.kind == Kind::kExplainRoute || command.kind == Kind::kExplainCache)
    return {{"QUERY PLAN", wire::ColumnType::kText}};
  if (command.kind == Kind::kSelectOne) return {{"?column?", wire::ColumnType::kInt4}};
  return {{command.column, wire::ColumnType::kText}};
}

StatusOr<Command> Understand(std::string_view statement) {
  std::vector<Token> tokens;
  for (size_t at = SkipBlanks(statement, 0); at < statement.size();) {
    auto token = Next(statement, at);
    if (!token.has_value()) return Error(sqlstate::kProtocolViolation, "bad arguments");
    at = SkipBlanks(statement, token->end);
    tokens.push_back(*std::move(token));
  }
  return Parser(statement, std::move(tokens)).Parse();
}

}  // namespace pgweir::proxy
