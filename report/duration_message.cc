#include "report/duration_message.h"

#include <charconv>

namespace pgweir::report {
namespace {

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

void SkipSpaces(std::string_view& text) {
  while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
}

// "rows: 5  size: 300 bytes", each of which may be missing.
void SkipCounts(std::string_view& text) {
  for (const std::string_view name : {std::string_view("rows: "), std::string_view("size: ")}) {
    if (!TakePrefix(text, name)) continue;
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') text.remove_prefix(1);
    TakePrefix(text, " bytes");
    SkipSpaces(text);
  }
}

}  // namespace

std::optional<DurationMessage> ParseDurationMessage(std::string_view message) {
  if (!TakePrefix(message, "duration: ")) return std::nullopt;
  DurationMessage result;
  const char* const end = message.data() + message.size();
  const auto [rest, error] = std::from_chars(message.data(), end, result.milliseconds);
  if (error != std::errc()) return std::nullopt;
  message.remove_prefix(rest - message.data());
  if (!TakePrefix(message, " ms")) return std::nullopt;
  SkipSpaces(message);
  SkipCounts(message);
  // A statement's name has no colon, so the first one ends "execute NAME" as it does "statement".
  if (const size_t colon = message.find(": "); colon != std::string_view::npos) {
    result.sql = message.substr(colon + 2);
  }
  return result;
}

std::string_view ParametersIn(std::string_view detail) {
  if (TakePrefix(detail, "Parameters: ") || TakePrefix(detail, "parameters: ")) return detail;
  return "";
}

}  // namespace pgweir::report
