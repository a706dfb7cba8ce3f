#include "observe/json_text.h"

#include <iterator>

#include "base/utf8.h"
#include "fmt/format.h"

namespace pgweir::observe {
namespace {

void AppendEscaped(char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
  }
}

bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '}' && c != ':';
}

}  // namespace

void AppendJson(std::string_view text, std::string& out) {
  // With the quote that ends the string, it would be the beginning of the next key.
  if (text.ends_with("\",")) {
    AppendJson(text.substr(0, text.size() - 1), out);
    return AppendEscaped(',', out);
  }
  const size_t begin = out.size();
  size_t at = 0;
  while (at < text.size()) {
    const size_t plain = at;
    while (at < text.size() && IsPlain(text[at])) ++at;
    out.append(text, plain, at - plain);
    if (at == text.size()) return;
    const char c = text[at];
    if (static_cast<unsigned char>(c) >= 0x80) {
      const size_t size = Utf8Size(text.substr(at));
      size == 0 ? out.append("\\ufffd") : out.append(text, at, size);
      at += size == 0 ? 1 : size;
      continue;
    }
    const std::string_view before = std::string_view(out).substr(begin);
    if (c == '}') {
      before.ends_with('"') ? AppendEscaped(c, out) : out.push_back(c);
    } else if (c == ':') {
      before.ends_with("INFO") ? AppendEscaped(c, out) : out.push_back(c);
    } else {
      AppendEscaped(c, out);
    }
    ++at;
  }
}

void AppendJsonValue(std::string_view json, std::string& out) {
  bool in_string = false, escaped = false;
  for (const char c : ToUtf8(json)) {
    if (static_cast<unsigned char>(c) < ' ' || (c == ' ' && !in_string)) continue;
    if (c == '"' && !escaped) in_string = !in_string;
    escaped = in_string && c == '\\' && !escaped;
    out += c;
  }
}

std::string_view CutUtf8(std::string_view text, size_t max) {
  if (text.size() <= max) return text;
  size_t end = max;
  while (end > 0 && max - end < 3 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace pgweir::observe
