#include "tests/support/message_scanner.h"

#include <algorithm>

#include "wire/protocol.h"

namespace pgweir::test {
namespace {

uint32_t ReadInt32(std::string_view data) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(data[i]);
  return value;
}

}  // namespace

char MessageScanner::TakeHeader(std::string_view data) {
  if (!startup_) {
    left_ = uint64_t{ReadInt32(data.substr(1))} + 1;
    return data[0];
  }
  left_ = std::max<uint64_t>(ReadInt32(data), 8);
  uint32_t code = ReadInt32(data.substr(4));
  if (code == wire::kSslRequestCode || code == wire::kGssEncRequestCode) {
    ++requests_;
  } else {
    startup_ = false;
  }
  return 0;
}

MessageScanner::Step MessageScanner::Scan(std::string_view data, const OnMessage& on_message) {
  if (opaque_) return {.used = data.size(), .fired = false};
  size_t at = 0;
  while (at < data.size()) {
    if (left_ > 0) {
      size_t passing = std::min<uint64_t>(left_, data.size() - at);
      at += passing;
      left_ -= passing;
      if (left_ > 0 || !fire_at_end_) continue;
      fire_at_end_ = false;
      return {.used = at, .fired = true};
    }
    if (bare_bytes_ > 0) {
      --bare_bytes_;
      last_bare_byte_ = data[at++];
      continue;
    }
    if (data.size() - at < HeaderSize()) break;
    char type = TakeHeader(data.substr(at));
    Verdict verdict = on_message(type);
    if (verdict == Verdict::kFireBefore) return {.used = at, .fired = true};
    fire_at_end_ = verdict == Verdict::kFireAfter;
  }
  return {.used = at, .fired = false};
}

}  // namespace pgweir::test
