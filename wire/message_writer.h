#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgweir::wire {

// Appends one message to a string; its length word is right once the writer is gone.
class MessageWriter {
 public:
  MessageWriter(std::string& out, char type) : MessageWriter((out += type, out)) {}
  // A message of the start-up phase has no type.
  explicit MessageWriter(std::string& out) : out_(out), start_(out.size()) { Int32(0); }
  ~MessageWriter() {
    const auto length = static_cast<uint32_t>(out_.size() - start_);
    for (size_t i = 0; i < 4; ++i) out_[start_ + i] = static_cast<char>(length >> (24 - 8 * i));
  }
  MessageWriter(const MessageWriter&) = delete;
  MessageWriter& operator=(const MessageWriter&) = delete;

  void Byte(char value) { out_ += value; }
  // Network byte order.
  void Int16(uint16_t value) {
    out_ += static_cast<char>(value >> 8);
    out_ += static_cast<char>(value);
  }
  void Int32(uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out_ += static_cast<char>(value >> shift);
  }
  void Raw(std::string_view bytes) { out_ += bytes; }
  // A text and its NUL. What follows a NUL of its own is cut, lest it be read as the next field.
  void Text(std::string_view text) {
    out_ += text.substr(0, text.find('\0'));
    out_ += '\0';
  }

 private:
  std::string& out_;
  size_t start_;
};

}  // namespace pgweir::wire
