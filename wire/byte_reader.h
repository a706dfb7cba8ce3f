#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/protocol.h"

namespace pgweir::wire {

// Takes values off the front of bytes that are not trusted. What is not there whole is not taken.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(AsText(bytes)) {}

  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  std::optional<char> Byte() {
    if (rest_.empty()) return std::nullopt;
    const char byte = rest_.front();
    rest_.remove_prefix(1);
    return byte;
  }

  // Network byte order.
  std::optional<uint16_t> Int16() {
    const auto bytes = Take(2);
    if (!bytes.has_value()) return std::nullopt;
    return static_cast<uint16_t>(static_cast<unsigned char>((*bytes)[0]) << 8 |
                                 static_cast<unsigned char>((*bytes)[1]));
  }
  std::optional<uint32_t> Int32() {
    const auto bytes = Take(4);
    if (!bytes.has_value()) return std::nullopt;
    uint32_t value = 0;
    for (const char c : *bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }

  std::optional<std::string_view> Take(size_t size) {
    if (rest_.size() < size) return std::nullopt;
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  // A text up to its NUL, which is taken too.
  std::optional<std::string_view> Text() {
    const size_t end = rest_.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }

 private:
  std::string_view rest_;
};

}  // namespace pgweir::wire
