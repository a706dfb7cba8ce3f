#include "config/ini_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "config/duration.h"

namespace pgweir::config {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// As C's strtol with base 0 reads a whole string.
std::optional<int64_t> ParseWhole(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && Lower(text[1]) == 'x') {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
  }
  uint64_t number = 0;  // unsigned, so that no second sign passes
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end || number > INT64_MAX) return std::nullopt;
  return negative ? -static_cast<int64_t>(number) : static_cast<int64_t>(number);
}

}  // namespace

IniReport::IniReport(const IniDocument& document)
    : document_(document), faults_(document.files.front()) {
  for (const IniFault& fault : document.faults) Fault(fault.place, fault.message);
}

std::string IniReport::At(IniPlace place, std::string_view message) const {
  return fmt::format("{}:{}:{}: {}", document_.files[place.file], place.at.line, place.at.column,
                     message);
}

void IniReport::Fault(IniPlace place, std::string_view message) {
  if (place.file == 0) return faults_.Add(place.at, message);
  faults_.AddOfOtherFile(At(place, message));
}

void IniReport::Warn(IniPlace place, std::string_view message) {
  warnings_.push_back(At(place, fmt::format("warning: {}", message)));
}

std::optional<int> IniValue::Int(int min, int max) const {
  const auto number = ParseWhole(text_);
  if (number.has_value() && *number >= min && *number <= max) return static_cast<int>(*number);
  Fault(fmt::format("must be a whole number from {} to {}", min, max));
  return std::nullopt;
}

std::optional<bool> IniValue::Flag() const {
  const auto number = ParseWhole(text_);
  if (number.has_value()) return *number != 0;
  Fault("must be 0 or 1");
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> IniValue::Seconds() const {
  const auto number = ParseNumber(text_);
  const double most = std::chrono::duration<double>(kMaxDuration).count();
  if (!number.has_value() || *number < 0 || *number > most) {
    Fault("must be a number of seconds, at most a year");
    return std::nullopt;
  }
  // What is not 0 must not become so.
  return std::chrono::milliseconds(static_cast<int64_t>(std::ceil(*number * 1000)));
}

std::vector<std::string> IniValue::List() const {
  std::vector<std::string> names;
  std::string_view rest = text_;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string_view name = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

void IniValue::Fault(std::string_view message) const {
  report_.Fault(place_, fmt::format("{}: {}", name_, message));
}

void IniValue::Warn(std::string_view message) const {
  report_.Warn(place_, fmt::format("{}: {}", name_, message));
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

std::optional<double> ParseNumber(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace pgweir::config
