#include "config/users.h"

#include "config/file.h"

namespace pgweir::config {
namespace {

constexpr size_t kMaxName = 255;
constexpr size_t kMaxSecret = 2047;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// The text of a users file, taken from the front. Messages speak of places, never of what is there.
class Scanner {
 public:
  Scanner(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  bool AtEnd() const { return at_ == text_.size(); }
  bool AtLineEnd() const { return AtEnd() || text_[at_] == '\n'; }
  bool AtComment() const { return !AtEnd() && (text_[at_] == ';' || text_[at_] == '#'); }
  bool AtBlank() const { return !AtEnd() && IsBlank(text_[at_]); }
  void SkipBlanks() {
    while (AtBlank()) ++at_;
  }
  void SkipLine() {
    while (!AtLineEnd()) ++at_;
    if (AtEnd()) return;
    ++at_;
    ++line_;
    line_start_ = at_;
  }
  // What stands in quotes here, with its doubled quotes halved.
  StatusOr<std::string> Quoted(std::string_view what, size_t max_length);
  Status Fault(std::string_view message) const {
    return Errorf(sqlstate::kConfigFileError, "{}:{}:{}: {}", path_, line_, at_ - line_start_ + 1,
                  message);
  }

 private:
  std::string_view text_;
  const std::string& path_;
  size_t at_ = 0;
  size_t line_ = 1;
  size_t line_start_ = 0;
};

StatusOr<std::string> Scanner::Quoted(std::string_view what, size_t max_length) {
  if (AtEnd() || text_[at_] != '"') return Fault(fmt::format("expected {} in double quotes", what));
  ++at_;
  std::string content;
  for (; !AtLineEnd(); ++at_) {
    if (text_[at_] == '\0') return Fault("unexpected character U+0000");
    if (text_[at_] == '"') {
      ++at_;
      if (AtEnd() || text_[at_] != '"') return content;
    }
    if (content.size() == max_length) {
      return Fault(fmt::format("{} must have at most {} bytes", what, max_length));
    }
    content += text_[at_];
  }
  return Fault(fmt::format("expected a double quote at the end of {}", what));
}

struct Entry {
  std::string name;
  std::string secret;
};

// What follows the secret is not read, as in PgBouncer.
StatusOr<Entry> ScanEntry(Scanner& scanner) {
  auto name = scanner.Quoted("a user name", kMaxName);
  if (!name.ok()) return name.status();
  if (name->empty()) return scanner.Fault("a user name must not be empty");
  if (!scanner.AtBlank()) return scanner.Fault("expected a space after the user name");
  scanner.SkipBlanks();
  auto secret = scanner.Quoted("a secret", kMaxSecret);
  if (!secret.ok()) return secret.status();
  if (!scanner.AtLineEnd() && !scanner.AtBlank()) {
    return scanner.Fault(
        "expected the end of the line after the secret; a double quote inside it "
        "is written twice");
  }
  return Entry{*std::move(name), *std::move(secret)};
}

}  // namespace

SecretKind KindOf(std::string_view secret) {
  if (secret.starts_with("SCRAM-SHA-256$")) return SecretKind::kScram;
  if (secret.size() == 35 && secret.starts_with("md5")) return SecretKind::kMd5;
  return SecretKind::kPlain;
}

std::vector<std::string> Users::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, secret] : secrets_) names.push_back(name);
  return names;
}

const std::string* Users::Find(std::string_view name) const {
  const auto it = secrets_.find(name);
  return it == secrets_.end() ? nullptr : &it->second;
}

StatusOr<Users> LoadUsers(const std::string& path) {
  const auto text = ReadFile(path, kMaxUsersFileBytes);
  if (text.ok()) return ParseUsers(*text, path);
  return Errorf(sqlstate::kConfigFileError, "{}:1:1: {}", path, MessageOf(text.status()));
}

// Of several lines for one user the last counts, as in PgBouncer.
StatusOr<Users> ParseUsers(std::string_view text, const std::string& path) {
  Users users;
  for (Scanner scanner(text, path); !scanner.AtEnd(); scanner.SkipLine()) {
    scanner.SkipBlanks();
    if (scanner.AtLineEnd() || scanner.AtComment()) continue;
    auto entry = ScanEntry(scanner);
    if (!entry.ok()) return entry.status();
    users.secrets_.insert_or_assign(std::move(entry->name), std::move(entry->secret));
  }
  for (const auto& [name, secret] : users.secrets_) {
    if (KindOf(secret) == SecretKind::kScram) ++users.verifiers_;
  }
  return users;
}

}  // namespace pgweir::config
