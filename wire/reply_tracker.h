#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "wire/protocol.h"

namespace pgweir::wire {

// What a client can ask for that changes what the server answers. Flush and CopyData do not.
enum class Request : uint8_t {
  kQuery,
  kFunctionCall,
  kParse,
  kBind,
  kDescribeStatement,
  kDescribePortal,
  kExecute,
  kClose,
  kSync,
  kCopyEnd,  // CopyDone or CopyFail
};

// Knows, for one server connection, which answers are still to come, so that the connection changes
// hands only when none is. Fed with every request in the order it is sent and every message in the
// order it comes back (PostgreSQL documentation, "Message Flow").
//
// A request whose answers nobody is to see is pushed with Answers::kSwallow: what comes back for it
// is reported as such.
class ReplyTracker {
 public:
  enum class Answers : uint8_t { kForward, kSwallow };
  enum class Verdict : uint8_t { kForward, kSwallow };

  void OnRequest(Request request, Answers answers = Answers::kForward);

  // `status` is the body of a ReadyForQuery and meaningless for other types.
  Verdict OnReply(char type, TransactionStatus status = TransactionStatus::kIdle);

  // Nothing is outstanding, no batch is open, no COPY runs, and the server is in no transaction:
  // the moment when the connection may serve somebody else.
  bool idle() const { return between_requests() && status_ == TransactionStatus::kIdle; }
  // Nothing is outstanding, whatever the transaction's state.
  bool between_requests() const { return ready_ && !desynchronised_; }
  // Something was sent whose answer is not complete.
  bool outstanding() const { return head_ < queue_.size() || copy_in_; }
  // Extended messages were sent and no Sync behind them.
  bool batch_open() const;
  // A ReadyForQuery is still to come.
  bool awaits_ready() const;
  // The answers that come now belong to a request of pgweir's own.
  bool swallowing() const;
  // The server waits for CopyData, CopyDone or CopyFail.
  bool copy_in() const { return copy_in_; }
  // The server discards everything up to the next Sync, which has not been sent yet.
  bool skipping() const { return skipping_; }
  TransactionStatus status() const { return status_; }
  // The server said something that fits nothing it was asked. The connection must not be reused.
  bool desynchronised() const { return desynchronised_; }
  // Requests that are not answered yet; the caller stops reading its client above a bound.
  size_t pending() const { return queue_.size() - head_; }

 private:
  struct Entry {
    Request request;
    Answers answers;
  };

  Entry* Head();
  void Pop();
  void Expect(Request request, char type);
  void OnError();
  void OnCopyIn();
  void OnReady(TransactionStatus status);

  std::vector<Entry> queue_;  // queue_[head_...] are outstanding
  size_t head_ = 0;
  TransactionStatus status_ = TransactionStatus::kIdle;
  bool ready_ = true;  // since the last ReadyForQuery nothing was sent
  bool skipping_ = false;
  bool copy_in_ = false;
  bool sync_ignored_ = false;  // a Sync was sent since the running COPY began
  bool desynchronised_ = false;
};

}  // namespace pgweir::wire
