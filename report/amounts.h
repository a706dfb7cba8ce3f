#pragma once

#include <cstdint>
#include <string>

namespace pgweir::report {

// Amounts for people: "850 µs", "12.3 ms", "1.24 s", "3.5 min", "2.1 h".
std::string TimeText(double microseconds);

// "1,234,567"
std::string CountText(uint64_t count);

// "61.2 %"; of nothing, "-".
std::string ShareText(uint64_t part, uint64_t whole);

}  // namespace pgweir::report
