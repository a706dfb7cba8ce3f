#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace pgweir {

// Writes JSON that may stand inside an HTML <script>: no <, > or & leaves it, so that nothing in it
// can end the element or begin another.
class JsonText {
 public:
  JsonText& BeginObject() { return Open('{'); }
  JsonText& EndObject() { return Close('}'); }
  JsonText& BeginArray() { return Open('['); }
  JsonText& EndArray() { return Close(']'); }
  JsonText& Key(std::string_view name);
  JsonText& String(std::string_view text);
  template <std::integral T>
  JsonText& Number(T number) {
    using Widest = std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>;
    return Write(static_cast<Widest>(number));
  }
  JsonText& Decimal(double number);

  const std::string& text() const { return text_; }

 private:
  JsonText& Write(int64_t number);
  JsonText& Write(uint64_t number);
  JsonText& Open(char bracket);
  JsonText& Close(char bracket);
  void Separate();
  void Quote(std::string_view text);

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace pgweir
