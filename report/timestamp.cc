#include "report/timestamp.h"

#include <chrono>

#include "fmt/format.h"

namespace pgweir::report {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int kFirstYear = 2000, kLastYear = 2099;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // Exactly so many digits, or -1.
  int Digits(size_t count) {
    if (text_.size() < count) return -1;
    int value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!IsDigit(text_[i])) return -1;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    return value;
  }

  bool Take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  // The digits behind a decimal point, as microseconds; further ones are dropped.
  int64_t Fraction() {
    int64_t value = 0, unit = kSecond / 10;
    while (!text_.empty() && IsDigit(text_[0])) {
      value += unit * (text_[0] - '0');
      unit /= 10;
      text_.remove_prefix(1);
    }
    return value;
  }

  bool empty() const { return text_.empty(); }

 private:
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }

  std::string_view text_;
};

std::optional<int64_t> ReadDate(Reader& in) {
  const int year = in.Digits(4);
  const bool dash = in.Take('-');
  const int month = in.Digits(2);
  if (!dash || !in.Take('-')) return std::nullopt;
  const int day = in.Digits(2);
  if (year < kFirstYear || year > kLastYear || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count() * 86400 * kSecond;
}

std::optional<int64_t> ReadTimeOfDay(Reader& in) {
  const int hour = in.Digits(2);
  if (hour < 0 || hour > 24 || !in.Take(':')) return std::nullopt;
  const int minute = in.Digits(2);
  if (minute < 0 || minute > 59) return std::nullopt;
  const int second = in.Take(':') ? in.Digits(2) : 0;
  if (second < 0 || second > 60) return std::nullopt;
  const int64_t whole = (hour * 3600LL + minute * 60 + second) * kSecond;
  return in.Take('.') ? whole + in.Fraction() : whole;
}

// How far the zone is ahead of UTC, in microseconds.
int64_t ReadZone(Reader& in) {
  in.Take(' ');
  const bool ahead = in.Take('+');
  if (!ahead && !in.Take('-')) return 0;
  const int hours = in.Digits(2);
  if (hours < 0) return 0;
  in.Take(':');
  const int minutes = in.empty() ? 0 : in.Digits(2);
  const int64_t distance = (hours * 60LL + (minutes < 0 ? 0 : minutes)) * 60 * kSecond;
  return ahead ? distance : -distance;
}

}  // namespace

std::optional<int64_t> ParseTimestamp(std::string_view text) {
  Reader in(text);
  const auto date = ReadDate(in);
  if (!date) return std::nullopt;
  if (in.empty()) return date;
  if (!in.Take(' ') && !in.Take('T')) return std::nullopt;
  const auto time = ReadTimeOfDay(in);
  if (!time) return std::nullopt;
  return *date + *time - ReadZone(in);
}

std::string FormatSecond(int64_t second) {
  const std::chrono::sys_seconds time{std::chrono::seconds(second)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace pgweir::report
