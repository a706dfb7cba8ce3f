#include "report/amounts.h"

#include "fmt/format.h"

namespace pgweir::report {
namespace {

// Three digits that say something.
std::string Number(double value) {
  return fmt::format("{:.{}f}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

}  // namespace

std::string TimeText(double microseconds) {
  if (microseconds < 1000) return fmt::format("{:.0f} µs", microseconds);
  if (microseconds < 1e6) return Number(microseconds / 1e3) + " ms";
  if (microseconds < 600e6) return Number(microseconds / 1e6) + " s";
  if (microseconds < 36000e6) return Number(microseconds / 60e6) + " min";
  return Number(microseconds / 3600e6) + " h";
}

std::string CountText(uint64_t count) {
  std::string digits = fmt::format("{}", count);
  for (size_t place = digits.size(); place > 3; place -= 3) digits.insert(place - 3, ",");
  return digits;
}

std::string ShareText(uint64_t part, uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace pgweir::report
