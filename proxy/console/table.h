#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/utf8.h"
#include "fmt/format.h"
#include "wire/result_messages.h"

namespace pgweir::proxy {

using Columns = std::vector<wire::Column>;

// "s database, i items": a letter for the type (s text, i int4, q int8, N numeric) and a name each.
// The names stay where they are.
Columns ColumnsFrom(std::string_view list);

// One row, value by value.
class Row {
 public:
  // In UTF-8, as the console says of itself, whatever bytes clients have put into their names.
  Row& Text(std::string_view value) {
    values_.emplace_back(ToUtf8(value));
    return *this;
  }
  Row& TextOrNull(std::string_view value) { return value.empty() ? Null() : Text(value); }
  Row& Number(int64_t value) {
    values_.emplace_back(std::to_string(value));
    return *this;
  }
  Row& Number(uint64_t value) {
    values_.emplace_back(std::to_string(value));
    return *this;
  }
  Row& Number(int value) { return Number(static_cast<int64_t>(value)); }
  Row& Numbers(size_t count, int value) {
    for (size_t i = 0; i < count; ++i) Number(value);
    return *this;
  }
  // With three decimals.
  Row& Decimal(double value) {
    values_.emplace_back(fmt::format("{:.3f}", value));
    return *this;
  }
  Row& Null() {
    values_.emplace_back();
    return *this;
  }
  const std::vector<std::optional<std::string>>& values() const { return values_; }

 private:
  std::vector<std::optional<std::string>> values_;
};
using Rows = std::vector<Row>;

// What a statement on the console answers.
struct Result {
  Columns columns = {};  // none = no rows, a tag only
  Rows rows = {};
  std::string tag = {};
  std::string notice = {};  // a message to be sent ahead; "" = none
  std::string detail = {};  // of the notice
};

// "2026-01-31 12:00:00 UTC", as PgBouncer shows times; "" for the epoch.
std::string TimeText(std::chrono::system_clock::time_point time);
std::string TimeText(TimePoint time);

}  // namespace pgweir::proxy
