#include "config/hba_tokens.h"

namespace pgweir::config {
namespace {

constexpr size_t kMaxToken = 4096;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

class Scanner {
 public:
  Scanner(std::string_view text, Faults& faults) : text_(text), faults_(faults) { JoinLines(); }

  bool AtEnd() const { return at_ == text_.size(); }
  bool AtLineEnd() const { return AtEnd() || text_[at_] == '\n' || text_[at_] == '#'; }

  void SkipBlanks() {
    while (!AtEnd() && IsBlank(text_[at_])) Advance();
  }
  void NextLine() {
    while (!AtEnd() && text_[at_] != '\n') Advance();
    if (!AtEnd()) Advance();
  }
  // One field, from its first character.
  HbaField Field();

 private:
  void Advance() {
    Step();
    JoinLines();
  }
  void Step() {
    if (text_[at_] == '\n') {
      ++place_.line;
      place_.column = 1;
    } else {
      ++place_.column;
    }
    ++at_;
  }
  void JoinLines() {
    while (true) {
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with("\\\n")) {
        at_ += 1;
      } else if (rest.starts_with("\\\r\n")) {
        at_ += 2;
      } else {
        return;
      }
      Step();
    }
  }
  HbaToken Token();

  std::string_view text_;
  Faults& faults_;
  size_t at_ = 0;
  Position place_;
};

HbaToken Scanner::Token() {
  HbaToken token{.text = {}, .quoted = text_[at_] == '"', .at = place_};
  bool in_quotes = false;
  bool was_quote = false;
  bool is_cut = false;
  while (!AtEnd() && text_[at_] != '\n') {
    const char c = text_[at_];
    if (!in_quotes && (IsBlank(c) || c == ',' || c == '#')) break;
    if (c == '\0') {
      // No text file: there may be many more.
      faults_.Add(place_, "unexpected character U+0000");
      at_ = text_.size();
      return token;
    }
    if (c != '"' || was_quote) {
      is_cut = is_cut || token.text.size() == kMaxToken;
      if (!is_cut) token.text += c;
    }
    // A quote written twice within quotes is one.
    was_quote = c == '"' && in_quotes && !was_quote;
    if (c == '"') in_quotes = !in_quotes;
    Advance();
  }
  if (in_quotes) faults_.Add(token.at, "expected a double quote at the end of this value");
  if (is_cut) faults_.Add(token.at, fmt::format("a value must have at most {} bytes", kMaxToken));
  return token;
}

// Blanks behind a comma belong to the list.
HbaField Scanner::Field() {
  HbaField field;
  while (!AtLineEnd()) {
    if (text_[at_] != ',') field.push_back(Token());
    if (AtEnd() || text_[at_] != ',') break;
    Advance();
    SkipBlanks();
  }
  return field;
}

}  // namespace

std::vector<HbaRecord> ScanHbaRecords(std::string_view text, Faults& faults) {
  std::vector<HbaRecord> records;
  for (Scanner scanner(text, faults); !scanner.AtEnd(); scanner.NextLine()) {
    HbaRecord record;
    for (scanner.SkipBlanks(); !scanner.AtLineEnd(); scanner.SkipBlanks()) {
      HbaField field = scanner.Field();
      if (!field.empty()) record.push_back(std::move(field));
    }
    if (!record.empty()) records.push_back(std::move(record));
  }
  return records;
}

}  // namespace pgweir::config
