#include <algorithm>
#include <charconv>

#include "proxy/secret_cache.h"

namespace pgweir::proxy {
namespace {

using std::chrono::seconds;

// Beyond it the clock's nanoseconds overflow.
constexpr int kLastYear = 2200;
constexpr int kFirstYear = 1700;

// Takes what it recognises off the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool Take(std::string_view what) {
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }
  // At least `digits` of them, without a sign.
  std::optional<int> Number(size_t digits) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    const auto length = static_cast<size_t>(end - rest_.data());
    if (error != std::errc() || length < digits || number > 1'000'000'000) return std::nullopt;
    rest_.remove_prefix(length);
    return static_cast<int>(number);
  }
  void SkipFraction() {
    if (!Take(".")) return;
    const size_t end = rest_.find_first_not_of("0123456789");
    rest_.remove_prefix(std::min(end, rest_.size()));
  }

 private:
  std::string_view rest_;
};

// "02:03:04", of which `least` parts have to be there.
std::optional<seconds> Time(Reader& reader, int least) {
  int parts[3] = {};
  for (int i = 0; i < 3; ++i) {
    if (i > 0 && !reader.Take(":")) {
      if (i < least) return std::nullopt;
      break;
    }
    const auto number = reader.Number(2);
    if (!number.has_value() || *number > 60) return std::nullopt;
    parts[i] = *number;
  }
  return seconds(parts[0] * 3600 + parts[1] * 60 + parts[2]);
}

}  // namespace

std::optional<WallTime> ParseTimestamp(std::string_view text) {
  if (text == "infinity") return WallTime::max();
  if (text == "-infinity") return WallTime::min();
  Reader reader(text);
  const auto year = reader.Number(4);
  if (!year.has_value() || !reader.Take("-")) return std::nullopt;
  const auto month = reader.Number(2);
  if (!month.has_value() || !reader.Take("-")) return std::nullopt;
  const auto day = reader.Number(2);
  if (!day.has_value()) return std::nullopt;
  seconds time{0};
  seconds offset{0};
  if (reader.Take(" ")) {
    const auto of_day = Time(reader, 3);
    if (!of_day.has_value()) return std::nullopt;
    time = *of_day;
    reader.SkipFraction();
    const bool west = reader.Take("-");
    if (west || reader.Take("+")) {
      const auto found = Time(reader, 1);
      if (!found.has_value()) return std::nullopt;
      offset = west ? -*found : *found;
    }
  }
  const bool before_christ = reader.Take(" BC");
  const std::chrono::year_month_day date{std::chrono::year(std::min(*year, kLastYear)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!reader.at_end() || *month > 12 || *day > 31 || !date.ok()) return std::nullopt;
  if (before_christ || *year < kFirstYear) return WallTime::min();
  if (*year >= kLastYear) return WallTime::max();
  return WallTime(std::chrono::sys_days(date) + time - offset);
}

}  // namespace pgweir::proxy
