#include "config/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace pgweir::config {
namespace {

constexpr std::array<std::pair<std::string_view, int64_t>, 5> kUnits{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  uint64_t number = 0;  // unsigned, so that a sign is no number
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  for (const auto& [unit, factor] : kUnits) {
    if (text != unit) continue;
    const auto most = static_cast<uint64_t>(kMaxDuration.count() / factor);
    if (number > most) return std::nullopt;
    return std::chrono::milliseconds(static_cast<int64_t>(number) * factor);
  }
  return std::nullopt;
}

}  // namespace pgweir::config
