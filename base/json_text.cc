#include "base/json_text.h"

#include "fmt/format.h"

namespace pgweir {

void JsonText::Separate() {
  if (needs_comma_) text_ += ',';
  needs_comma_ = true;
}

JsonText& JsonText::Open(char bracket) {
  Separate();
  text_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonText& JsonText::Close(char bracket) {
  text_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonText& JsonText::Key(std::string_view name) {
  Separate();
  Quote(name);
  text_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonText& JsonText::String(std::string_view text) {
  Separate();
  Quote(text);
  return *this;
}

JsonText& JsonText::Write(int64_t number) {
  Separate();
  text_ += fmt::format_int(number).c_str();
  return *this;
}

JsonText& JsonText::Write(uint64_t number) {
  Separate();
  text_ += fmt::format_int(number).c_str();
  return *this;
}

JsonText& JsonText::Decimal(double number) {
  Separate();
  text_ += fmt::format("{}", number);
  return *this;
}

void JsonText::Quote(std::string_view text) {
  text_ += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7f || c == '<' || c == '>' || c == '&') {
      text_ += fmt::format("\\u{:04x}", byte);
    } else {
      if (c == '"' || c == '\\') text_ += '\\';
      text_ += c;
    }
  }
  text_ += '"';
}

}  // namespace pgweir
