#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "base/status.h"
#include "observe/statement_record.h"
#include "proxy/request_contents.h"
#include "proxy/watched_client.h"
#include "wire/frame_scanner.h"

namespace pgweir::proxy {

struct WorkerTools;

// Follows each statement of one client from its request to the last byte of its answer, in a
// pipeline, too, and then gives it to the worker's Observer. A statement is a Query, or an Execute
// with the Bind and Parse before it.
//
// It is told what is sent to servers in the client's name and what the client is sent, each in its
// order (PostgreSQL documentation, "Message Flow"), and so knows whose answer it is without being
// told. It changes nothing of either. What it notes stands in memory that is the worker's while the
// client is idle; once that has grown nothing is allocated.
class StatementWatch {
 public:
  struct Buffers;
  struct Coming;

  explicit StatementWatch(WorkerTools& tools) : tools_(tools) {}
  ~StatementWatch() = default;
  StatementWatch(const StatementWatch&) = delete;
  StatementWatch& operator=(const StatementWatch&) = delete;

  // Nothing is followed before. `client` lives as long as this object.
  void Begin(WatchedClient& client) { client_ = &client; }

  // --- what holds for the requests that are taken from now on ---

  // They were received at this moment.
  void Receive(TimePoint now);
  void Mark(observe::Moment moment, TimePoint now);
  void AddConnecting(Duration time);
  void set_cache(observe::CacheOutcome outcome);
  // What they are about, if that is one symbol.
  void set_symbol(std::string_view symbol);
  // Nothing of a server's is known yet.
  void ForgetPlace();
  // Where they are carried out. `node` lives as long as this object; `bit` is its number in the
  // shard map, if there is one.
  struct Place {
    std::string_view node;
    std::optional<size_t> bit;
    observe::NodeRole role = observe::NodeRole::kNone;
    uint32_t server_pid = 0;
  };
  void set_place(const Place& place);
  // Those under way go on there, behind where they have been.
  void AddPlace(const Place& place);

  // --- requests, and answers ---

  // One of the client's messages, of these bytes, goes on its way. Its statements are as `state`
  // has them.
  void OnRequest(wire::Frame frame, wire::Bytes in, const SessionState& state,
                 const wire::Parameters& settings);
  // Likewise all of these.
  void OnRequests(wire::Bytes requests, const SessionState& state,
                  const wire::Parameters& settings);
  // What isn't answered yet is carried out once more. `anew`: it comes by OnRequest again.
  void TakeAgain(bool anew);
  // The client is sent this message. Its size is what of it the client gets.
  void OnReply(const wire::Frame& frame, TimePoint now) {
    OnReply(frame.type, frame.head, wire::kHeaderSize + frame.body_length, now);
  }
  void OnReply(char type, wire::Bytes head, size_t size, TimePoint now);
  // Likewise whole messages of pgweir's own.
  void OnReplies(std::string_view messages, TimePoint now);
  // Something of pgweir's own that came before is over on the server.
  void OnOwnReply(TimePoint now) { turn_at_ = now, own_turn_ = true; }
  // The cache has the answer.
  void OnHit(const RequestStatement& statement, bool extended, std::string_view tag, size_t bytes,
             observe::CacheOutcome outcome);
  // All that was asked has been answered.
  void OnIdle();
  // What isn't answered yet is answered by this error, as a server would.
  void OnReject(const Status& reason, TimePoint now);
  // The client's connection ends by this error, and what is under way with it.
  void OnEnd(const Status& reason, TimePoint now);

  // --- the end ---

  // The client holds no backend, and has asked for nothing more: what was said above is over.
  void Rest();

  // There are statements that are answered, but perhaps not all sent.
  bool has_answered() const { return next_ != first_ || blocked_at_ != TimePoint(); }
  // Now all is, or the client doesn't take more just now.
  void Sent(const wire::Parameters& settings);
  void Blocked();

 private:
  struct Request {
    observe::StatementTimer timer;
    std::string symbol;
    observe::CacheOutcome cache = observe::CacheOutcome::kNone;
    uint32_t retries = 0;
  };
  struct Places {
    absl::InlinedVector<std::string_view, 2> nodes;
    observe::ShardBits bits = {};
    observe::NodeRole role = observe::NodeRole::kNone;
    uint32_t server_pid = 0;
  };
  // A statement, as the client's messages have it.
  struct Asked {
    StatementRef named;  // its text and types are there; null = they are here
    router::FactsRef facts;
    std::string text, types, values, name, portal;
    bool cut = false;  // the text goes on

    std::string_view sql() const { return named != nullptr ? named->text : text; }
    void Clear();
  };
  struct Entry {
    enum class Kind : uint8_t {
      kParse,    // counts only when it fails
      kQuery,    // up to its ReadyForQuery
      kExecute,  // up to its CommandComplete, or what stands for it
      kSync,     // up to its ReadyForQuery
      kCall,     // a function call, likewise
    };
    Kind kind = Kind::kSync;
    bool begun = false;   // its answer has
    bool counts = false;  // it is to be told of
    Request coming;
    Places places;
    Asked asked;
    std::string tag, sqlstate, error;
    uint64_t rows = 0, bytes = 0;
    uint64_t data_rows = 0;  // messages

    void Clear();
  };

  Coming& coming();
  Entry& Push(Entry::Kind kind);
  void OnParse(const wire::Frame& frame);
  const Asked* UnnamedParse() const;
  void OnBind(const wire::Frame& frame, const SessionState& state);
  void OnExecute(const wire::Frame& frame);
  Asked& PortalOf(std::string_view name);
  Entry* Next();
  void TakeBuffers();
  void GiveBuffersBack();
  void OnError(Entry& entry, wire::Bytes body, TimePoint now);
  static void Fail(Entry& entry, const Status& reason, TimePoint now);
  void OnReady(TimePoint now);
  void EndNext(TimePoint now);
  void Tell(Entry& entry, TimePoint now, const wire::Parameters& settings);

  WorkerTools& tools_;
  WatchedClient* client_ = nullptr;   // null = nothing is followed
  std::unique_ptr<Coming> coming_;    // null = nothing was received since the client rested
  std::unique_ptr<Buffers> buffers_;  // null = nothing is under way
  // Of the buffers' entries [first_, next_) are answered, [next_, size_) are not.
  uint32_t first_ = 0, next_ = 0, size_ = 0;
  uint32_t used_ = 0;            // since the buffers were taken; the entries behind are empty
  bool in_transaction_ = false;  // as the client was told last
  bool batch_open_ = false;      // there is no Sync behind its last message
  bool skipping_ = false;        // up to the next Sync, which hasn't come yet
  bool lost_ = false;            // what comes now isn't followed: there is too much
  bool own_turn_ = false;        // what came before the next was pgweir's own
  TimePoint turn_at_{};          // when that was over
  TimePoint blocked_at_{};       // since when the client doesn't take more; zero = it does
  uint64_t number_ = 0;          // of statements told of
};

// What holds for the requests that are taken from now on.
struct StatementWatch::Coming {
  Request request;
  Places places;
};

struct StatementWatch::Buffers {
  std::vector<Entry> entries;
  std::vector<Asked> portals;  // bound; the first is the unnamed one
};

}  // namespace pgweir::proxy
