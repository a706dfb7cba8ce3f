#include "net/output.h"

#include <algorithm>

namespace pgweir::net {

IoState Output::Send(Stream& stream, std::span<const std::byte> bytes) {
  if (!pending_.empty()) {
    Append(bytes);
    return Flush(stream);
  }
  while (!bytes.empty()) {
    const IoResult put = stream.Write(bytes);
    if (put.state == IoState::kBlocked) {
      Append(bytes);
      return IoState::kBlocked;
    }
    if (put.state != IoState::kOk) return IoState::kFailed;
    bytes = bytes.subspan(put.bytes);
  }
  return IoState::kOk;
}

IoState Output::Send(Stream& stream, std::span<const std::string_view> pieces) {
  size_t sent = 0;
  if (pending_.empty() && !stream.tls()) {
    const IoResult put = stream.socket().Write(pieces);
    if (put.state == IoState::kFailed) return put.state;
    sent = put.bytes;
  }
  IoState state = IoState::kOk;
  for (std::string_view piece : pieces) {
    const size_t skipped = std::min(sent, piece.size());
    sent -= skipped;
    piece.remove_prefix(skipped);
    if (piece.empty()) continue;
    state = Send(stream, piece);
    if (state == IoState::kFailed) return state;
  }
  return state;
}

IoState Output::Flush(Stream& stream) {
  while (written_ < pending_.size()) {
    const IoResult put = stream.Write(std::as_bytes(std::span(pending_.data() + written_, size())));
    if (put.state == IoState::kBlocked) return IoState::kBlocked;
    if (put.state != IoState::kOk) return IoState::kFailed;
    written_ += put.bytes;
  }
  Clear();
  return IoState::kOk;
}

void Output::Append(std::span<const std::byte> bytes) {
  pending_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void Output::Clear() {
  std::string().swap(pending_);
  written_ = 0;
}

}  // namespace pgweir::net
