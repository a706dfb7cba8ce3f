#include "config/size.h"

#include <array>
#include <charconv>
#include <utility>

namespace pgweir::config {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 5> kUnits{
    {{"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};

}  // namespace

std::optional<uint64_t> ParseSize(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  for (const auto& [unit, shift] : kUnits) {
    if (text != unit) continue;
    if (number > kMaxSize >> shift) return std::nullopt;
    return number << shift;
  }
  return std::nullopt;
}

}  // namespace pgweir::config
