#include "net/send_batch.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "net/output.h"

namespace pgweir::net {
namespace {

constexpr int kNotTaken = -EAGAIN;

}  // namespace

void SendBatch::RingDeleter::operator()(io_uring* ring) const {
  io_uring_queue_exit(ring);
  delete ring;
}

SendBatch::SendBatch() {
  auto ring = std::make_unique<io_uring>();
  if (io_uring_queue_init(kMostSends, ring.get(), 0) != 0) return;
  ring_.reset(ring.release());
  bytes_ = std::make_unique_for_overwrite<char[]>(kBytes);
  entries_.reserve(kMostSends);
  results_.reserve(kMostSends);
}

SendBatch::~SendBatch() = default;

bool SendBatch::Add(Output& output, Stream& stream, std::span<const std::string_view> pieces) {
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  if (!on()) return false;
  if (size == 0) return true;
  if (size > kMostBytes) {
    Flush();  // what is small doesn't wait for what is large
    return false;
  }
  const bool goes_on = !entries_.empty() && entries_.back().output == &output;
  // Of two sends to one stream the first one may be taken in part, and the other whole.
  const bool twice = !goes_on && output.batch_ != nullptr;
  if (twice || entries_.size() == kMostSends || used_ + size > kBytes) {
    Flush();
    if (!on() || !output.empty()) return false;
  }
  char* const at = bytes_.get() + used_;
  for (const std::string_view piece : pieces) {
    std::copy_n(piece.data(), piece.size(), bytes_.get() + used_);
    used_ += piece.size();
  }
  if (output.batch_ != nullptr) {
    std::string_view& bytes = entries_.back().bytes;
    bytes = {bytes.data(), bytes.size() + size};
  } else {
    output.batch_ = this;
    stream.socket().NoteQueued(true);
    entries_.push_back({&output, &stream, {at, size}});
  }
  return true;
}

void SendBatch::Flush() {
  if (entries_.empty()) return;
  results_.assign(entries_.size(), kNotTaken);
  if (entries_.size() > 1) Submit();
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    Socket& socket = entry.stream->socket();
    entry.output->batch_ = nullptr;
    socket.NoteQueued(false);
    const int result = results_[i];
    if (result < 0 && result != -EAGAIN && result != -EINTR) {
      socket.NoteBroken();
      continue;
    }
    const std::string_view left = entry.bytes.substr(std::max(result, 0));
    // The common way for one send alone, and to find out how long the stream is blocked.
    if (!left.empty() &&
        entry.output->Write(*entry.stream, std::as_bytes(std::span(left))) == IoState::kFailed) {
      socket.NoteBroken();
    }
  }
  entries_.clear();
  used_ = 0;
}

// What the kernel takes of the queue has been tried when it returns. A ring that doesn't take
// everything is not used again, so that nothing of it can be sent later.
void SendBatch::Submit() {
  for (size_t i = 0; i < entries_.size(); ++i) {
    io_uring_sqe* const sqe = io_uring_get_sqe(ring_.get());
    const Entry& entry = entries_[i];
    io_uring_prep_send(sqe, entry.stream->socket().fd(), entry.bytes.data(), entry.bytes.size(),
                       MSG_NOSIGNAL | MSG_DONTWAIT);
    io_uring_sqe_set_data64(sqe, i);
  }
  const int taken = std::max(io_uring_submit(ring_.get()), 0);
  for (int done = 0; done < taken;) {
    io_uring_cqe* cqe = nullptr;
    if (io_uring_wait_cqe(ring_.get(), &cqe) != 0) continue;  // a signal
    results_[io_uring_cqe_get_data64(cqe)] = cqe->res;
    io_uring_cqe_seen(ring_.get(), cqe);
    ++done;
  }
  if (std::cmp_equal(taken, entries_.size())) return;
  LogWarn("io_uring took {} of {} sends: from now on each connection sends for itself", taken,
          entries_.size());
  ring_.reset();
}

}  // namespace pgweir::net
