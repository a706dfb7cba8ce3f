#pragma once

#include "base/status.h"
#include "proxy/client.h"
#include "wire/frame_scanner.h"

namespace pgweir::proxy {

// What a client sends while it holds no backend: gathered until there is something to be done for
// it, so that a client that is slow to send its batch holds no backend meanwhile. What a server
// would ignore or answer by itself is dealt with here.
class RequestReader {
 public:
  enum class State : uint8_t {
    kWait,       // nothing to do before the client's event
    kReady,      // `request` begins with a message for a server and holds at least one that must be
                 // answered now, or more than is gathered
    kEnded,      // Terminate, or the end of the stream
    kViolation,  // not the protocol; `violation` says what
  };

  // A batch is gathered up to this size; what is longer streams.
  static constexpr size_t kMaxGathered = 16 * 1024;
  // One by one, it is so much, and a message that ends a little later is waited for.
  static constexpr size_t kMaxMessage = 96 * 1024;
  static_assert(kMaxGathered + kMaxMessage < net::Worker::kScratchSize);

  explicit RequestReader(Client& client) : client_(client) {}

  // From now on a request is one only, up to its Query, Sync or Flush, or, of a longer one, a part
  // of it in whole messages; a message that is too long to be gathered comes with its end missing.
  void ReadOneByOne() { one_by_one_ = true; }
  // What the client's server stands in while the next is read.
  struct Standing {
    wire::TransactionStatus status = wire::TransactionStatus::kIdle;
    bool batch_open = false;  // it has part of a batch, whose end is to go there, too
  };
  void set_standing(Standing standing) { standing_ = standing; }

  // `request` is in the worker's scratch and good until the next suspension.
  State Poll(wire::Bytes& request);

  // Answers a request that no backend will see, and all that belongs to it, with `error`, as a
  // server would: each Query its own, an extended batch one up to its Sync, which may be still to
  // come.
  void Reject(wire::Bytes request, const Status& error);

  // Answers it so. It is one that is whole.
  void Accept(wire::Bytes request, std::string_view answer) {
    Accept(request, std::span(&answer, 1));
  }
  void Accept(wire::Bytes request, std::span<const std::string_view> answer);

  // The request of the last Poll, some of which was given to the relay's scanner, begins anew.
  void Rewind();

  const Status& violation() const { return violation_; }
  // Position within the client's stream, shared with the relay, which goes on from it.
  wire::FrameScanner& scanner() { return scanner_; }

 private:
  State PollOnce(wire::Bytes& request);
  State Examine(wire::Bytes in, wire::Bytes& request);
  State Violated(wire::FrameScanner::Step step, const wire::Frame& frame);
  bool AnswersItself(const wire::Frame& frame, std::string& answer);

  Client& client_;
  wire::FrameScanner scanner_{wire::ClientHead};
  size_t examined_ = 0;  // of what the client's input holds, bytes that want more behind them
  bool skipping_to_sync_ = false;
  bool ended_ = false;
  bool one_by_one_ = false;
  Standing standing_;
  Status violation_;
};

// What PostgreSQL says to a message that it can't make sense of.
Status ProtocolViolation(wire::FrameScanner::Step step, char type);

}  // namespace pgweir::proxy
