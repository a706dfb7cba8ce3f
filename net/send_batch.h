#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace pgweir::net {

class Output;
class Stream;

// What a worker's connections send in one turn, given to the kernel by one system call: an io_uring
// used for nothing else. The kernel wakes the receivers when the call ends, not one by one in the
// middle of the turn, each of which may put this thread off its processor. (bench/README.md has the
// measurement.)
//
// The sends don't wait: each is done, in part, or refused when Flush returns, so that nothing that
// they point to has to last any longer. Where the kernel has no io_uring, or doesn't allow it, it
// takes nothing, and every connection sends for itself.
//
// Belongs to one worker and its thread.
class SendBatch {
 public:
  // Of one send. More is worth a call of its own, which spares the copy.
  static constexpr size_t kMostBytes = 4096;

  SendBatch();
  ~SendBatch();
  SendBatch(const SendBatch&) = delete;
  SendBatch& operator=(const SendBatch&) = delete;

  // Copies the pieces, to be sent one behind the other, without TLS, at the next Flush, of which
  // `output` keeps what the stream doesn't take. False when it takes nothing of them; where that is
  // for their size, it sends what it has first.
  bool Add(Output& output, Stream& stream, std::span<const std::string_view> pieces);

  // Sends. Those that something is left of know it then; a connection that turned out to be broken
  // sets its socket's event.
  void Flush();

  // Whether the kernel lets us have it.
  bool on() const { return ring_ != nullptr; }

 private:
  static constexpr size_t kMostSends = 64;
  static constexpr size_t kBytes = size_t{64} << 10;

  struct Entry {
    Output* output;
    Stream* stream;
    std::string_view bytes;  // in bytes_
  };
  struct RingDeleter {
    void operator()(io_uring* ring) const;
  };

  void Submit();

  std::unique_ptr<io_uring, RingDeleter> ring_;
  std::unique_ptr<char[]> bytes_;
  size_t used_ = 0;
  std::vector<Entry> entries_;
  std::vector<int> results_;  // of entries_: how many bytes, or a negative errno
};

}  // namespace pgweir::net
