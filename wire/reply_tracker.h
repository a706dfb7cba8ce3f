#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "wire/frame_scanner.h"
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

// What a client's message asks for; nothing of one that is answered by nothing of its own. Of a
// Describe its kind has to be seen.
std::optional<Request> RequestOf(const Frame& frame);

// Knows, for one server connection, which answers are still to come, so that the connection changes
// hands only when none is. Fed with every request in the order it is sent and every message in the
// order it comes back (PostgreSQL documentation, "Message Flow").
//
// Requests of pgweir's own, and those that it sends in place of a client's, are pushed with what is
// to become of their answers.
class ReplyTracker {
 public:
  enum class Answers : uint8_t {
    kForward,
    kSwallow,
    kSwallowUnlessError,  // an error is the client's: the server skips what it has asked for
    kAsParseComplete,  // a Close stands for a client's Parse: its CloseComplete for ParseComplete
  };
  enum class Verdict : uint8_t { kForward, kSwallow, kAsParseComplete };

  // How a request with a token ended.
  enum class Outcome : uint8_t {
    kDone,     // answered to its end
    kFailed,   // by an error
    kSkipped,  // the server never looked at it, because of an error before it
  };
  struct Settled {
    uint32_t token;
    Outcome outcome;
  };

  // `token` is the caller's; of a request with one it learns the end, by TakeSettled. 0 = none.
  void OnRequest(Request request, Answers answers = Answers::kForward, uint32_t token = 0);

  // `status` is the body of a ReadyForQuery and meaningless for other types.
  Verdict OnReply(char type, TransactionStatus status = TransactionStatus::kIdle);

  // The token of the request that the next answer belongs to; 0 = it has none.
  uint32_t token() const { return head_ < queue_.size() ? queue_[head_].token : 0; }
  // Requests with a token that have ended since the last time, in order.
  const std::vector<Settled>& settled() const { return settled_; }
  void ClearSettled() { settled_.clear(); }

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
  bool awaits_ready() const { return readies_ > 0; }
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
    uint32_t token;
    bool failed = false;  // of a Query, whose end is still to come
  };

  Entry* Head();
  void Pop(Outcome outcome = Outcome::kDone);
  void Expect(Request request, char type);
  void OnError();
  void OnCopyIn();
  void OnReady(TransactionStatus status);

  std::vector<Entry> queue_;  // queue_[head_...] are outstanding
  size_t head_ = 0;
  size_t readies_ = 0;  // entries that bring a ReadyForQuery
  std::vector<Settled> settled_;
  TransactionStatus status_ = TransactionStatus::kIdle;
  bool ready_ = true;  // since the last ReadyForQuery nothing was sent
  bool skipping_ = false;
  bool copy_in_ = false;
  bool sync_ignored_ = false;  // a Sync was sent since the running COPY began
  bool desynchronised_ = false;
};

}  // namespace pgweir::wire
