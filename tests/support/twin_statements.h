#pragma once

#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

// The SQL of the twin test, as tables. "{c}" stands for the client's number, so that clients who
// prepare under the same name mean different things, and each writes only to a table of its own.

namespace pgweir::test {

// The same numbers from the same seed on every machine.
class TwinRandom {
 public:
  explicit TwinRandom(uint64_t seed) : engine_(seed) {}
  int Below(int end) { return static_cast<int>(engine_() % static_cast<uint64_t>(end)); }
  bool Chance(int percent) { return Below(100) < percent; }
  template <class List>
  const auto& Pick(const List& list) {
    return list[static_cast<size_t>(Below(static_cast<int>(std::size(list))))];
  }

 private:
  std::mt19937_64 engine_;
};

struct TwinText {
  std::string_view sql;
  std::string_view parameters;  // a letter each: i = int4, t = text
  // Its literals are read by the settings of the moment; prepared for long, they may be read anew.
  bool for_one_batch = false;
};

std::string ForClient(std::string_view sql, size_t client);

extern const std::vector<TwinText> kTwinTexts;
// Their meaning is decided when they are analysed, by settings of that moment.
extern const std::vector<TwinText> kTwinAnalysed;
extern const std::vector<std::string_view> kTwinErrors;
extern const std::vector<std::string_view> kTwinMulti;

struct TwinSetting {
  std::string_view name;
  std::vector<std::string_view> values;  // as SQL literals
};
extern const std::vector<TwinSetting> kTwinReported;
extern const std::vector<TwinSetting> kTwinUnreported;

}  // namespace pgweir::test
