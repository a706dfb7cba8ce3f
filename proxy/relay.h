#pragma once

#include <string>

#include "base/status.h"
#include "pooler/pool.h"
#include "proxy/answer_capture.h"
#include "proxy/client.h"
#include "proxy/joint_answer.h"
#include "proxy/request_rewriter.h"
#include "proxy/shard_statistics.h"
#include "proxy/statement_watch.h"
#include "proxy/write_watch.h"
#include "wire/frame_scanner.h"
#include "wire/parameters.h"

namespace pgweir::proxy {

// Carries bytes between a client and the backend that it holds, both ways at once. Payload passes
// through the worker's scratch; only what a socket does not take is kept, and then its source is
// not read until the rest is gone, so that memory stays bounded and nobody but the two is held up.
//
// Not a coroutine: its session calls Pump whenever the event is set.
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

  // `scanner` is where the client's stream stands.
  Relay(Client& client, wire::FrameScanner& scanner, WorkerTools& tools, StatementStore& store,
        StatementWatch& watch)
      : client_(client), scanner_(scanner), tools_(tools), rewriter_(tools, store), watch_(watch) {}

  // In session mode a backend is never reported free, and what the client says about its statements
  // goes through as it is; in statement mode a transaction is a violation.
  void Configure(const config::Pool& limits);

  // From now on it is the session that reads the client's requests, and gives them to Go one by
  // one. The rest of a message, and the data of a COPY, are read here all the same.
  void BeGuided() { guided_ = true; }
  // By which requests are led to nodes, and the numbers of the next one.
  void set_shard_map(const router::ShardMapRef& map) { rewriter_.set_shard_map(map); }
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

  // The settings that the client has, or null while it has not logged in.
  wire::ParametersRef parameters;

  // The settings with a dot in their names that the client has, as one number.
  uint64_t custom_settings() const {
    return parameters == nullptr ? 0 : parameters->custom_settings();
  }
  // Whether the backend may serve this client.
  bool Suits(const pooler::Backend& backend) const {
    return backend.custom_settings == 0 || backend.custom_settings == custom_settings();
  }

  // Whether it needs no settings first.
  bool Agrees(const pooler::Backend& backend) const {
    return parameters == backend.parameters ||
           parameters->unreported() == backend.parameters->unreported();
  }

  bool attached() const { return static_cast<bool>(lease_); }
  pooler::Lease& lease() { return lease_; }
  const pooler::Lease& lease() const { return lease_; }

  // The client is logged in, with these settings where others have `everybodys`.
  void LoggedIn(wire::ParametersRef everybodys, NodeCatalogRef catalog) {
    rewriter_.state().set_login(parameters, everybodys != nullptr ? everybodys : parameters);
    rewriter_.set_catalog(std::move(catalog));
    rewriter_.set_counters(*client_.counters);
  }

  // Takes the backend for as long as the client needs it; forgets what the last one left.
  void Attach(pooler::Lease lease);
  // Closes the backend; what was sent to it is lost.
  void Drop();
  // Gives the backend back, for others if it may serve others.
  void Release(TimePoint now);

  // The SQL that gives the backend settings of the client's that it must not work without: they are
  // to be there before Begin. Mostly "".
  std::string SettingsFirst(pooler::Backend& backend) const;
  // They are.
  void SettingsDone(pooler::Backend& backend) const;

  // Puts the client's settings on the backend if it has others, and sends the request behind them,
  // all in one write. False when the connection broke before one byte was taken.
  //
  // `repeatable`: doing it twice is doing it once, so that it may be done again elsewhere as long
  // as the client has seen nothing of it. What the client sends behind it may need another server,
  // and is not read before it is answered. `first` is SQL that the client's transaction began with
  // elsewhere, to be carried out here before; "" = nothing.
  bool Begin(wire::Bytes request, TimePoint now, bool repeatable = false,
             std::string_view first = "");
  // The client's unnamed statement is no more.
  void ForgetUnnamed() { rewriter_.state().DropUnnamed(); }
  // It is this one, and no server has it yet.
  void KeepUnnamed(std::string_view text, std::string_view types, router::FactsRef facts) {
    rewriter_.state().KeepUnnamed(tools_.next_unnamed++, text, types, std::move(facts));
  }
  // Is told what goes to a server, and when that is over; null = nobody.
  void set_writes(WriteWatch* writes) { writes_ = writes; }
  // Gets what the client is sent; null = nobody.
  void set_capture(AnswerCapture* capture) { capture_ = capture; }
  // Where the client's requests are counted from now on; null = nowhere.
  void CountUnder(PatternCounters* counters) { pattern_counters_ = counters; }
  // What several backends answer is one answer for the client; null = each is its own.
  void set_joint(JointAnswer* joint) { joint_ = joint; }
  const JointAnswer* joint() const { return joint_; }
  // The client's request has been answered in part, by backends before.
  bool goes_on() const { return joint_ != nullptr && joint_->goes_on(); }

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
  // And no reset takes it away.
  bool left_for_good() const;
  // Makes the backend forget whatever a client has left on it; unseen by the client.
  void Reset();
  // What runs on the backend takes nothing from the client: the backend is made fit for others.
  bool resetting() const { return resetting_; }
  // A cancel request is on its way, which must not hit a statement of pgweir's own.
  bool awaits_cancel() const { return awaits_cancel_; }
  // The server has told the client itself that the connection ends.
  bool told_fatal() const { return told_fatal_; }
  // How many requests have been answered to their end on this backend.
  uint64_t answers() const { return answers_; }
  // When the last of what the backend has just said was read, if that ended a request.
  TimePoint answered_at() const { return answered_at_; }
  // When the client's last request began, and ended if it has.
  TimePoint request_at() const { return request_at_; }
  const SessionState& state() const { return rewriter_.state(); }
  size_t prepared() const { return rewriter_.state().named(); }
  bool commit_under_way() const { return commit_under_way_; }
  bool terminated() const { return terminated_; }
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

  Client& client_;
  wire::FrameScanner& scanner_;
  WorkerTools& tools_;
  RequestRewriter rewriter_;
  StatementWatch& watch_;
  config::PoolMode mode_ = config::PoolMode::kTransaction;
  config::OnSessionState on_session_state_ = config::OnSessionState::kPin;
  pooler::Lease lease_;
  net::Output to_backend_;
  std::string replay_;
  Status command_error_;
  std::vector<std::optional<std::string>> row_;  // the answer to a question
  // What began the client's use of the backend, as long as it can be begun anew: a batch with its
  // Sync, of whose answers the client has seen nothing.
  std::string again_;
  bool beginning_anew_ = false;
  const char* noted_pin_ = nullptr;
  bool guided_ = false;
  bool streaming_ = false;      // what is read is the rest of a message, or a COPY's data
  bool dropping_rest_ = false;  // of a message that was refused
  bool flushed_ = false;        // the server answers all that it has been sent
  size_t left_ = 0;             // of the client's input, what was looked at here and wants more
  JointAnswer* joint_ = nullptr;
  WriteWatch* writes_ = nullptr;
  AnswerCapture* capture_ = nullptr;
  PatternCounters* pattern_counters_ = nullptr;
  bool stalled_ = false;  // what is in the client's input waits for answers
  bool resetting_ = false;
  bool awaits_cancel_ = false;
  bool unfit_ = false;  // the backend can't be made fit for others
  bool row_came_ = false;
  bool releasing_ = false;   // a question or a reset is under way
  bool stale_plan_ = false;  // the error that comes now says so
  Status violation_;
  uint64_t answers_ = 0;
  TimePoint request_at_{}, xact_since_{}, answered_at_{};
  bool swallowing_body_ = false;  // of a message that goes on in the next bytes
  bool discarding_ = false;
  bool alone_ = false;  // nothing is sent behind what is outstanding
  bool told_fatal_ = false;
  bool commit_under_way_ = false;
  bool terminated_ = false;
  bool client_gone_ = false;
  bool backend_broken_ = false;
};

}  // namespace pgweir::proxy
