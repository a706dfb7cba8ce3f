#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// What a collector of OpenTelemetry's is sent by OTLP/HTTP with JSON, read by a JSON parser. What
// isn't as the protocol has it throws.

namespace pgweir::test {

struct OtlpSpan {
  std::string trace, id, parent, name;
  int64_t kind = 0;
  uint64_t begin = 0, end = 0;  // nanoseconds since 1970
  int64_t status = 0;
  std::map<std::string, std::string> attributes;  // of a list, its values with commas between

  uint64_t micros() const { return (end - begin) / 1000; }
};

struct OtlpRequest {
  std::map<std::string, std::string> resource;
  std::vector<OtlpSpan> spans;
};

// One span, as an object of JSON.
OtlpSpan ReadOtlpSpan(std::string_view json);
OtlpRequest ReadOtlpRequest(std::string_view body);

}  // namespace pgweir::test
