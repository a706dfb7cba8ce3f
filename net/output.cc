#include "net/output.h"

#include <algorithm>

#include "net/worker.h"

namespace pgweir::net {

Output::~Output() {
  if (batch_ != nullptr) batch_->Flush();
}

IoState Output::Send(Stream& stream, std::span<const std::byte> bytes) {
  const std::string_view piece(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (Queue(stream, {&piece, 1})) return IoState::kOk;
  return Write(stream, bytes);
}

IoState Output::Send(Stream& stream, std::span<const std::string_view> pieces) {
  if (Queue(stream, pieces)) return IoState::kOk;
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
    state = Write(stream, std::as_bytes(std::span(piece)));
    if (state == IoState::kFailed) return state;
  }
  return state;
}

// True when the batch has them. Else nothing of this output is there, so that all that is sent now
// comes behind it.
bool Output::Queue(Stream& stream, std::span<const std::string_view> pieces) {
  Worker* const worker = stream.socket().worker();
  if (worker == nullptr || stream.tls()) return false;
  if (pending_.empty() && worker->sends().Add(*this, stream, pieces)) return true;
  if (batch_ != nullptr) batch_->Flush();
  return false;
}

IoState Output::Write(Stream& stream, std::span<const std::byte> bytes) {
  if (!pending_.empty()) {
    Append(bytes);
    return Flush(stream);
  }
  std::span<const std::byte> left = bytes;
  while (!left.empty()) {
    const IoResult put = stream.Write(left);
    if (put.state == IoState::kOk) {
      left = left.subspan(put.bytes);
      continue;
    }
    if (put.state != IoState::kBlocked) {
      if (left.size() == bytes.size()) return IoState::kFailed;
      stream.socket().NoteBroken();
    }
    Append(left);
    return IoState::kBlocked;
  }
  return IoState::kOk;
}

IoState Output::Flush(Stream& stream) {
  if (batch_ != nullptr) batch_->Flush();
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
  if (batch_ != nullptr) batch_->Flush();
  std::string().swap(pending_);
  written_ = 0;
}

}  // namespace pgweir::net
