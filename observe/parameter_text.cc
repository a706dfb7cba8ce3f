#include "observe/parameter_text.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>

#include "fmt/format.h"

namespace pgweir::observe {
namespace {

// src/include/catalog/pg_type.dat
enum Oid : uint32_t {
  kBool = 16,
  kName = 19,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kOid = 26,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kUnknown = 705,
  kBpchar = 1042,
  kVarchar = 1043,
  kDate = 1082,
  kTimestamp = 1114,
  kTimestamptz = 1184,
  kNumeric = 1700,
  kUuid = 2950,
  kJsonb = 3802,
};

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr int64_t kMicrosADay = int64_t{24} * 60 * 60 * 1'000'000;

// A number of the network's byte order.
template <typename T>
T Load(std::string_view bytes, size_t at = 0) {
  std::make_unsigned_t<T> value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<decltype(value)>(value << 8 | static_cast<uint8_t>(bytes[at + i]));
  }
  return static_cast<T>(value);
}

template <typename... Args>
void Append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

void AppendHex(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
}

template <typename T>
bool AppendInteger(std::string_view bytes, std::string& out) {
  if (bytes.size() != sizeof(T)) return false;
  Append(out, "{}", Load<T>(bytes));
  return true;
}

template <typename Float, typename Bits>
bool AppendFloat(std::string_view bytes, std::string& out) {
  if (bytes.size() != sizeof(Bits)) return false;
  const auto value = std::bit_cast<Float>(Load<Bits>(bytes));
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
  } else {
    Append(out, "{}", value);
  }
  return true;
}

// src/backend/utils/adt/numeric.c: digits to the base of 10,000, the first of which counts
// 10,000 to the power of `weight`; `scale` decimal digits behind the point.
bool AppendNumeric(std::string_view bytes, size_t max, std::string& out) {
  constexpr size_t kHead = 8;
  constexpr int kMaxScale = 0x3FFF;
  if (bytes.size() < kHead) return false;
  const int count = Load<uint16_t>(bytes, 0);
  const int weight = Load<int16_t>(bytes, 2);
  const uint16_t sign = Load<uint16_t>(bytes, 4);
  const int scale = Load<uint16_t>(bytes, 6);
  if (bytes.size() != kHead + 2 * static_cast<size_t>(count) || scale > kMaxScale) return false;
  if (sign == 0xC000 || sign == 0xD000 || sign == 0xF000) {
    out += sign == 0xC000 ? "NaN" : sign == 0xD000 ? "Infinity" : "-Infinity";
    return true;
  }
  const auto digit = [&](int index) {
    return index >= 0 && index < count
               ? Load<uint16_t>(bytes, kHead + 2 * static_cast<size_t>(index))
               : uint16_t{0};
  };
  if (sign == 0x4000) out += '-';
  Append(out, "{}", weight < 0 ? uint16_t{0} : digit(0));
  for (int i = 1; i <= weight && out.size() <= max; ++i) Append(out, "{:04}", digit(i));
  if (scale == 0) return true;
  out += '.';
  const size_t point = out.size();
  const auto behind = static_cast<size_t>(scale);
  for (int i = weight + 1; out.size() - point < behind && out.size() <= max; ++i) {
    Append(out, "{:04}", digit(i));
  }
  if (out.size() - point > behind) out.resize(point + behind);
  return true;
}

// Days from the first of January 2000. False for years that std::chrono does not have.
bool AppendDay(int64_t number, bool& before_christ, std::string& out) {
  using std::chrono::sys_days;
  using std::chrono::year;
  constexpr auto kEpoch = sys_days(year(2000) / 1 / 1);
  constexpr int64_t kFirst = (sys_days(year(-4713) / 1 / 1) - kEpoch).count();
  constexpr int64_t kLast = (sys_days(year(32000) / 1 / 1) - kEpoch).count();
  if (number < kFirst || number > kLast) return false;
  const std::chrono::year_month_day day(kEpoch + std::chrono::days(number));
  // The year before 1 is 1 BC.
  before_christ = int{day.year()} <= 0;
  const int shown = before_christ ? 1 - int{day.year()} : int{day.year()};
  Append(out, "{:04}-{:02}-{:02}", shown, unsigned{day.month()}, unsigned{day.day()});
  return true;
}

bool AppendDate(std::string_view bytes, std::string& out) {
  if (bytes.size() != sizeof(int32_t)) return false;
  const auto days = Load<int32_t>(bytes);
  if (days == std::numeric_limits<int32_t>::max()) return out += "infinity", true;
  if (days == std::numeric_limits<int32_t>::min()) return out += "-infinity", true;
  bool before_christ = false;
  if (!AppendDay(days, before_christ, out)) return false;
  if (before_christ) out += " BC";
  return true;
}

// Microseconds from the same day.
bool AppendTimestamp(std::string_view bytes, bool with_zone, std::string& out) {
  if (bytes.size() != sizeof(int64_t)) return false;
  const auto time = Load<int64_t>(bytes);
  if (time == std::numeric_limits<int64_t>::max()) return out += "infinity", true;
  if (time == std::numeric_limits<int64_t>::min()) return out += "-infinity", true;
  int64_t days = time / kMicrosADay;
  int64_t micros = time % kMicrosADay;
  if (micros < 0) {
    --days;
    micros += kMicrosADay;
  }
  bool before_christ = false;
  if (!AppendDay(days, before_christ, out)) return false;
  const int64_t seconds = micros / 1'000'000;
  Append(out, " {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (micros % 1'000'000 != 0) {
    Append(out, ".{:06}", micros % 1'000'000);
    while (out.back() == '0') out.pop_back();
  }
  if (with_zone) out += "+00";
  if (before_christ) out += " BC";
  return true;
}

bool AppendUuid(std::string_view bytes, std::string& out) {
  if (bytes.size() != 16) return false;
  for (const size_t part : {4, 2, 2, 2, 6}) {
    if (!out.empty()) out += '-';
    AppendHex(bytes.substr(0, part), out);
    bytes.remove_prefix(part);
  }
  return true;
}

// False when the bytes are not as the type has them.
bool AppendBinary(uint32_t type, std::string_view bytes, size_t max, std::string& out) {
  switch (type) {
    case kBool:
      if (bytes.size() != 1) return false;
      out += bytes[0] == 0 ? 'f' : 't';
      return true;
    case kInt2:
      return AppendInteger<int16_t>(bytes, out);
    case kInt4:
      return AppendInteger<int32_t>(bytes, out);
    case kInt8:
      return AppendInteger<int64_t>(bytes, out);
    case kOid:
      return AppendInteger<uint32_t>(bytes, out);
    case kFloat4:
      return AppendFloat<float, uint32_t>(bytes, out);
    case kFloat8:
      return AppendFloat<double, uint64_t>(bytes, out);
    case kNumeric:
      return AppendNumeric(bytes, max, out);
    case kDate:
      return AppendDate(bytes, out);
    case kTimestamp:
    case kTimestamptz:
      return AppendTimestamp(bytes, type == kTimestamptz, out);
    case kUuid:
      return AppendUuid(bytes, out);
    default:
      return false;
  }
}

bool IsText(uint32_t type) {
  return type == kText || type == kVarchar || type == kBpchar || type == kName || type == kJson ||
         type == kUnknown;
}

}  // namespace

std::string_view ParameterText(const StatementParameter& parameter, size_t max,
                               std::string& scratch) {
  const std::string_view bytes = parameter.bytes;
  if (!parameter.binary || IsText(parameter.type)) return bytes;
  // Version 1 is the text.
  if (parameter.type == kJsonb && bytes.starts_with('\1')) return bytes.substr(1);
  scratch.clear();
  if (AppendBinary(parameter.type, bytes, max, scratch)) return scratch;
  scratch = "\\x";
  AppendHex(bytes.substr(0, max / 2 + 1), scratch);
  return scratch;
}

}  // namespace pgweir::observe
