#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "pooler/pool.h"
#include "proxy/belongings.h"
#include "proxy/client.h"
#include "proxy/request_rewriter.h"
#include "proxy/statement_watch.h"
#include "wire/frame_scanner.h"
#include "wire/parameters.h"

namespace pgweir::proxy {

// Carries bytes between a client and the backend that it holds, both ways at once. Payload passes
// through the worker's scratch; only what a socket does not take is kept, and then its source is
// not read until the rest is gone, so that memory stays bounded and nobody but the two is held up.
//
// There is one for as long as the client holds a backend. Not a coroutine: its session calls Pump
// whenever the event is set.
class Relay {
 public:
  enum class Next : uint8_t {
    kWait,         // nothing to do before the event
    kYield,        // there is more to do, but others have a turn first
    kFree,         // nothing is outstanding and no transaction is open: the backend may go back
    kBackendLost,  // the server's connection has ended or makes no sense
    kClientGone,   // the client's has, or it said Terminate
    kViolation,    // the client broke the protocol; see violation()
  };

  // What relays have grown to need, for the next one to use again.
  struct Buffers {
    std::string replay, again;
    RequestRewriter::Buffers rewriter;

    void Clear();
  };

  // `scanner` is where the client's stream stands.
  Relay(Belongings& own, Client& client, wire::FrameScanner& scanner, WorkerTools& tools,
        StatementStore& store, StatementWatch& watch, Buffers& buffers, pooler::Lease lease)
      : own_(own),
        client_(client),
        scanner_(scanner),
        tools_(tools),
        watch_(watch),
        rewriter_(tools, store, own, *client.counters, buffers.rewriter),
        lease_(std::move(lease)),
        replay_(buffers.replay),
        again_(buffers.again) {}

  // The numbers of the next request, and what it says on this node.
  void Give(const NumbersGiven& numbers, const PartText& part) { rewriter_.Give(numbers, part); }
  // Whether the next request may be given.
  bool TakesRequest() const;
  // The client's request, or a part of it, for the backend that it has.
  Next Go(wire::Bytes request);
  // In its place the server gets something that it refuses, and the client `refusal`, so that the
  // client's transaction and batch are where the server takes them to be.
  void Refuse(wire::Bytes request, const Status& refusal);
  // Ends the client's batch, all of which is answered, and its transaction, which has done nothing,
  // unseen by the client: they go on elsewhere.
  void Withdraw();

  pooler::Lease& lease() { return lease_; }
  const pooler::Lease& lease() const { return lease_; }

  // Closes the backend; what was sent to it is lost.
  void Drop();
  // Gives the backend back, for others if it may serve others.
  void Release(TimePoint now);

  // Puts the client's settings on the backend if it has others, and sends the request behind them,
  // all in one write. False when the connection is seen to be broken before one byte was taken;
  // of what leaves at the end of the turn the next read tells.
  //
  // `repeatable`: doing it twice is doing it once, so that it may be done again elsewhere as long
  // as the client has seen nothing of it. What the client sends behind it may need another server,
  // and is not read before it is answered. `first` is SQL that the client's transaction began with
  // elsewhere, to be carried out here before; "" = nothing.
  bool Begin(wire::Bytes request, TimePoint now, bool repeatable = false,
             std::string_view first = "");
  Next Pump();

  // Sends a statement of pgweir's own whose answers nobody sees.
  void Command(std::string_view sql);
  // Reads and discards what the backend says; kWait when there is nothing more now.
  Next PumpBackendOnly();
  // What the server answered to a command that failed, once; OK if none did.
  Status TakeCommandError() { return std::exchange(command_error_, absl::OkStatus()); }

  // Ends what the client left open as far as messages can: a COPY, a batch without its Sync.
  void CloseRequest();
  // From now on the client gets nothing of what comes.
  void DiscardAnswers() { discarding_ = true; }

  // The client's side of the stream stands within a message that the backend has seen the start of.
  bool mid_message() const { return !scanner_.at_boundary(); }
  // Nothing is outstanding and no transaction is open.
  bool Free() const;
  // Bytes of the client's are still to be sent to the backend.
  bool holds_bytes() const { return !to_backend_.empty(); }
  // Whether another client would meet something of this one's on the backend.
  bool left_traces() const;
  // Makes the backend forget whatever a client has left on it; unseen by the client.
  void Reset();
  // What runs on the backend takes nothing from the client: the backend is made fit for others.
  bool resetting() const { return resetting_; }
  // A cancel request is on its way, which must not hit a statement of pgweir's own.
  bool awaits_cancel() const { return awaits_cancel_; }
  // The server has told the client itself that the connection ends.
  bool told_fatal() const { return told_fatal_; }
  // When the last of what the backend has just said was read, if that ended a request.
  TimePoint answered_at() const { return answered_at_; }
  bool commit_under_way() const { return commit_under_way_; }
  // Whether what was sent may be sent again, on another backend: nobody has seen anything of it,
  // and doing it twice is doing it once. The bytes to send.
  const std::string& replay() const { return replay_; }
  const Status& violation() const { return violation_; }

 private:
  // Requests of pgweir's own, by the tracker's tokens.
  enum Own : uint32_t { kSettings = 1, kCommand, kQuestion, kReset, kRestoration, kAgain };

  Next ReadBackend();
  bool TakeReplies(wire::Bytes in);
  void OnReply(const wire::Frame& frame, uint32_t token, bool swallowed, TimePoint now);
  void PutInstead(const wire::Frame& frame, uint32_t token, wire::ReplyTracker::Verdict verdict,
                  std::string& instead) const;
  void OnParameterStatus(const wire::Frame& frame, uint32_t token);
  void OnError(const wire::Frame& frame, uint32_t token, bool swallowed);
  void NoteWrites(wire::Bytes in);
  void NoteBegin(TimePoint now);
  void NoteAnswer();
  void Settle();
  void TakeAnswer();
  Next SettleSession();
  void NotePin();
  void Send(Own own, std::string_view sql);
  bool RefusesTransaction(const wire::Frame& frame, wire::TransactionStatus status);
  void Forward(wire::Bytes bytes);
  Next ReadClient();
  Next LookForHangUp();
  wire::Bytes TakeRequests(wire::Bytes in);
  bool BeginsAnew(const wire::Frame& frame);
  void NoteRequest(const wire::Frame& frame);
  std::string AgreeOnSettings();
  bool SendFirst(wire::Bytes bytes);
  void SendToBackend(wire::Bytes bytes);
  Next Decide();

  Belongings& own_;
  Client& client_;
  wire::FrameScanner& scanner_;
  WorkerTools& tools_;
  StatementWatch& watch_;
  RequestRewriter rewriter_;
  pooler::Lease lease_;
  net::Output to_backend_;
  std::string& replay_;
  Status command_error_;
  std::vector<std::optional<std::string>> row_;  // the answer to a question
  // What began the client's use of the backend, as long as it can be begun anew: a batch with its
  // Sync, of whose answers the client has seen nothing.
  std::string& again_;
  bool beginning_anew_ = false;
  // What was taken last is one extended batch whose client wants to be told what its rows look
  // like. One that does not ask has been told before; it has to learn of a change by the error.
  bool describing_batch_ = false;
  bool streaming_ = false;      // what is read is the rest of a message, or a COPY's data
  bool dropping_rest_ = false;  // of a message that was refused
  bool flushed_ = false;        // the server answers all that it has been sent
  size_t left_ = 0;             // of the client's input, what was looked at here and wants more
  bool stalled_ = false;        // what is in the client's input waits for answers
  bool resetting_ = false;
  bool awaits_cancel_ = false;
  bool unfit_ = false;  // the backend can't be made fit for others
  bool row_came_ = false;
  bool releasing_ = false;   // a question or a reset is under way
  bool stale_plan_ = false;  // the error that comes now says so
  Status violation_;
  TimePoint xact_since_{}, answered_at_{};
  bool swallowing_body_ = false;  // of a message that goes on in the next bytes
  bool discarding_ = false;
  bool alone_ = false;  // nothing is sent behind what is outstanding
  bool told_fatal_ = false;
  bool commit_under_way_ = false;
  bool backend_broken_ = false;
};

// A relay, and what outlasts it. Its worker has spare ones, so that a client that is given a
// backend costs no allocation, and one without costs no memory.
struct RelayMemory {
  Relay::Buffers buffers;
  std::optional<Relay> relay;
};

}  // namespace pgweir::proxy
