#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace pgweir::pooler {

enum class ServerRole : uint8_t { kUnknown, kPrimary, kReplica };

enum class ServerCondition : uint8_t {
  kUnknown,    // nothing was heard of it yet
  kUp,         // usable
  kDown,       // it does not answer, or is not ready to
  kLagging,    // too far behind the primary
  kReturning,  // it was out, and has not been good often enough since
  kStale,      // of another history: a primary beside a newer one, a replica that has gone astray
};

std::string_view NameOf(ServerRole role);
std::string_view NameOf(ServerCondition condition);

// What a server says of itself when it is asked.
struct ServerAnswer {
  bool in_recovery = false;
  uint64_t system_id = 0;
  uint32_t timeline = 0;                      // of a replica that of its last checkpoint
  uint64_t lsn = 0;                           // written so far; of a replica: replayed
  uint64_t received = 0;                      // of a replica; 0 = nothing yet
  std::optional<Duration> since_replay = {};  // age of the last transaction that was replayed
  TimePoint asked_at{};  // what it says is of then or later; the epoch = of now
};

// Whether a replica that has replayed up to `replayed` has all up to `lsn`, which a primary gave as
// its insert position: at the start of a page that is behind the page's header.
bool HasReplayed(uint64_t replayed, uint64_t lsn);

struct HealthLimits {
  Duration max_lag = std::chrono::seconds(10);  // 0 = none
  int good_answers = 2;  // in a row, before a server that was out is used again
  Duration trial_after = std::chrono::seconds(2);  // of one that can't be asked, and is out
};

// What is held of one server.
struct ServerHealth {
  ServerRole role = ServerRole::kUnknown;
  ServerCondition condition = ServerCondition::kUnknown;
  std::string error;                   // of the last answer that was none, or why it is out
  bool reachable = false;              // the last question was answered
  std::optional<ServerAnswer> answer;  // the newest
  TimePoint answered_at{};
  std::optional<uint64_t> lag_bytes;
  std::optional<Duration> lag;
  // A moment up to which it surely has all that the primary had written; the latest known.
  std::optional<TimePoint> caught_up_at;
  int good = 0;  // answers in a row since it was out
  TimePoint out_since{};
  uint64_t answers = 0, failures = 0;

  bool usable() const { return condition == ServerCondition::kUp; }
};

// Which servers of a node are usable, and which is its primary: a value that changes by what is
// heard of the servers, and by nothing else.
//
// A server that fails or lags is out at once, and back after several good answers in a row. The
// primary is the server that is not in recovery; of several, the one of the newest timeline. A
// timeline that was once left behind is never followed again.
class NodeHealth {
 public:
  // `listed`: for each server whether the configuration lists it as a primary. A single one is
  // taken at its word until it is heard of.
  NodeHealth(const std::vector<bool>& listed, HealthLimits limits);

  // Takes over what `before` knew. `places`: for each server its place there, or -1.
  void Inherit(const NodeHealth& before, const std::vector<int>& places);

  void OnAnswer(size_t server, const ServerAnswer& answer, TimePoint now);
  // It does not answer, or says that it is not ready.
  void OnFailure(size_t server, std::string why, TimePoint now);
  // It is there, but does not let itself be asked; "" = nobody has a login to ask by. Then clients'
  // logins say whether it is usable, and the configuration what it is.
  void OnUnasked(size_t server, std::string why, TimePoint now);
  void OnLoginFailed(size_t server, std::string why, TimePoint now);
  void OnLoggedIn(size_t server);

  const std::vector<ServerHealth>& servers() const { return servers_; }
  // -1 = not known.
  int primary() const { return primary_; }
  // There was a primary, and it is one no more: who needs one is to wait for the next.
  bool headless() const { return headless_; }

  // What happened since the last call that an operator should read of.
  struct Event {
    enum class Kind : uint8_t { kOut, kBack, kNewPrimary, kNoPrimary, kSplitBrain } kind;
    size_t server;
  };
  std::vector<Event> TakeEvents() { return std::exchange(events_, {}); }

 private:
  // A point in the node's history.
  struct History {
    uint64_t system_id = 0;
    uint32_t timeline = 0;
  };

  bool Claims(size_t server) const;
  bool Newer(size_t a, size_t b) const;
  int FindPrimary() const;
  void Decide(TimePoint now);
  void JudgeReplica(ServerHealth& replica, size_t server, TimePoint now);
  void Astray(TimePoint now);
  void MeasureLag(ServerHealth& replica, TimePoint now) const;
  void Good(size_t server);
  void Out(size_t server, ServerCondition condition, std::string why, TimePoint now);
  ServerRole RoleOf(size_t server) const;

  std::vector<ServerHealth> servers_;
  std::vector<bool> listed_;
  HealthLimits limits_;
  int primary_ = -1;
  bool headless_ = false;
  History newest_;  // of the primaries so far
  std::vector<Event> events_;
};

}  // namespace pgweir::pooler
