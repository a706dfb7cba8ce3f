#include "proxy/console/table.h"

#include <ctime>

#include "base/check.h"

namespace pgweir::proxy {
namespace {

wire::ColumnType TypeOf(char letter) {
  switch (letter) {
    case 'i':
      return wire::ColumnType::kInt4;
    case 'q':
      return wire::ColumnType::kInt8;
    case 'N':
      return wire::ColumnType::kNumeric;
    default:
      PGWEIR_CHECK(letter == 's');
      return wire::ColumnType::kText;
  }
}

}  // namespace

Columns ColumnsFrom(std::string_view list) {
  Columns columns;
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    columns.push_back({list.substr(2, end - 2), TypeOf(list[0])});
    list.remove_prefix(std::min(end + 2, list.size()));
  }
  return columns;
}

std::string TimeText(std::chrono::system_clock::time_point time) {
  if (time == std::chrono::system_clock::time_point()) return "";
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", &parts));
}

std::string TimeText(TimePoint time) {
  if (time == TimePoint() || time == kNoDeadline) return "";
  const auto ago =
      std::chrono::duration_cast<std::chrono::system_clock::duration>(Clock::now() - time);
  return TimeText(std::chrono::system_clock::now() - ago);
}

}  // namespace pgweir::proxy
