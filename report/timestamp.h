#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgweir::report {

// Microseconds since 1970 of "2026-11-21 10:00:00.123 UTC", as PostgreSQL writes it in its logs, or
// of ISO 8601 with a "T"; date alone is its midnight. A zone is Z or +HH[[:]MM]; an abbreviation
// counts as UTC, since it names no zone for sure. None for what is no time, and for years before
// 2000 or after 2099: one absurd line must not stretch the axis of all charts.
std::optional<int64_t> ParseTimestamp(std::string_view text);

// "2026-11-21 10:00:00", in UTC.
std::string FormatSecond(int64_t second);

}  // namespace pgweir::report
