#include "router/literal_value.h"

#include <charconv>

#include "router/char_class.h"

namespace pgweir::router {
namespace {

// Reads one literal from its first quote on.
class StringReader {
 public:
  StringReader(std::string_view text, LiteralKind kind) : text_(text), kind_(kind) {}

  std::optional<std::string> Read();

 private:
  bool ReadPiece();
  bool ReadEscape();
  bool ReadUnicode();
  bool AddCode(size_t digits);
  bool AddByte(size_t digits, int base);
  void SkipSpace();

  std::string_view text_;
  LiteralKind kind_;
  char escape_ = '\\';
  size_t at_ = 0;
  std::string value_;
};

// The one character of UESCAPE '…' at the end of the text. Nothing when it is written otherwise.
std::optional<char> UnicodeEscape(std::string_view text) {
  const size_t size = text.size();
  if (size < 3 || text[size - 1] != '\'' || text[size - 3] != '\'') return std::nullopt;
  return text[size - 2];
}

std::optional<std::string> StringReader::Read() {
  at_ = text_.find('\'');
  if (kind_ == LiteralKind::kUnicode) {
    // Where the string itself ends is only known once it is read.
    StringReader plain(text_, LiteralKind::kPlain);
    plain.at_ = at_;
    while (plain.ReadPiece()) plain.SkipSpace();
    const size_t end = plain.at_;
    if (end < text_.size()) {
      const std::optional<char> escape = UnicodeEscape(text_);
      if (!escape) return std::nullopt;
      escape_ = *escape;
      text_ = text_.substr(0, end);
    }
  }
  while (at_ < text_.size()) {
    if (text_[at_] != '\'' || !ReadPiece()) return std::nullopt;
    SkipSpace();
  }
  return value_;
}

// From an opening quote to behind its closing one.
bool StringReader::ReadPiece() {
  if (at_ >= text_.size() || text_[at_] != '\'') return false;
  ++at_;
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '\'') {
      if (at_ >= text_.size() || text_[at_] != '\'') return true;
      ++at_;
    } else if (c == '\\' && kind_ == LiteralKind::kEscape) {
      if (!ReadEscape()) return false;
      continue;
    } else if (c == escape_ && kind_ == LiteralKind::kUnicode) {
      if (!ReadUnicode()) return false;
      continue;
    }
    value_ += c;
  }
  return false;
}

void StringReader::SkipSpace() {
  while (at_ < text_.size()) {
    if (Is(text_[at_], kSpace)) {
      ++at_;
    } else if (text_.substr(at_, 2) == "--") {
      while (at_ < text_.size() && !Is(text_[at_], kNewline)) ++at_;
    } else {
      return;
    }
  }
}

// Behind the backslash of an E'…'.
bool StringReader::ReadEscape() {
  if (at_ >= text_.size()) return false;
  const char c = text_[at_];
  if (c >= '0' && c <= '7') return AddByte(3, 8);
  ++at_;
  switch (c) {
    case 'b':
      value_ += '\b';
      return true;
    case 'f':
      value_ += '\f';
      return true;
    case 'n':
      value_ += '\n';
      return true;
    case 'r':
      value_ += '\r';
      return true;
    case 't':
      value_ += '\t';
      return true;
    case 'u':
      return AddCode(4);
    case 'U':
      return AddCode(8);
    case 'x':
      // Without digits it is the letter.
      if (!AddByte(2, 16)) value_ += c;
      return true;
    default:
      value_ += c;
      return true;
  }
}

// Behind the escape character of a U&'…'.
bool StringReader::ReadUnicode() {
  if (at_ < text_.size() && text_[at_] == escape_) {
    value_ += text_[at_++];
    return true;
  }
  if (at_ < text_.size() && text_[at_] == '+') {
    ++at_;
    return AddCode(6);
  }
  return AddCode(4);
}

// Exactly so many hexadecimal digits, of a character that is one byte in every encoding.
bool StringReader::AddCode(size_t digits) {
  const std::string_view hex = text_.substr(at_, digits);
  unsigned code = 0;
  const auto read = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
  if (hex.size() != digits || read.ptr != hex.data() + digits || code == 0 || code > 127) {
    return false;
  }
  at_ += digits;
  value_ += static_cast<char>(code);
  return true;
}

// At most so many digits of a byte.
bool StringReader::AddByte(size_t digits, int base) {
  const std::string_view text = text_.substr(at_, digits);
  unsigned byte = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), byte, base);
  if (read.ec != std::errc()) return false;
  at_ += static_cast<size_t>(read.ptr - text.data());
  value_ += static_cast<char>(byte);
  return true;
}

// Between the tags.
std::string_view DollarValue(std::string_view text) {
  const size_t tag = text.find('$', 1) + 1;
  return text.substr(tag, text.size() - 2 * tag);
}

}  // namespace

std::optional<std::string> LiteralValue(std::string_view sql, const Literal& literal) {
  const std::string_view text = literal.span.In(sql);
  switch (literal.kind) {
    case LiteralKind::kInteger:
    case LiteralKind::kDecimal:
      return std::string(text);
    case LiteralKind::kDollar:
      return std::string(DollarValue(text));
    case LiteralKind::kBits:
    case LiteralKind::kHexBits:
      return StringReader(text, LiteralKind::kPlain).Read();
    default:
      return StringReader(text, literal.kind).Read();
  }
}

std::string SettingName(const SettingEffect& setting, std::string_view sql, const SqlScan& scan) {
  if (setting.name_literal < 0) return setting.name;
  const auto index = static_cast<size_t>(setting.name_literal);
  if (index >= scan.literals().size()) return "";
  std::string name = LiteralValue(sql, scan.literals()[index]).value_or("");
  for (char& c : name) c = Fold(c);
  return name;
}

}  // namespace pgweir::router
