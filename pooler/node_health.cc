#include "pooler/node_health.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgweir::pooler {
namespace {

using Condition = ServerCondition;

constexpr uint64_t kPage = 8192;
constexpr uint64_t kLongPageHeader = 40;

double SecondsOf(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

std::string_view NameOf(ServerRole role) {
  switch (role) {
    case ServerRole::kPrimary:
      return "primary";
    case ServerRole::kReplica:
      return "replica";
    case ServerRole::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view NameOf(ServerCondition condition) {
  switch (condition) {
    case Condition::kUp:
      return "up";
    case Condition::kDown:
      return "down";
    case Condition::kLagging:
      return "lagging";
    case Condition::kReturning:
      return "returning";
    case Condition::kStale:
      return "stale";
    case Condition::kUnknown:
      break;
  }
  return "unknown";
}

bool HasReplayed(uint64_t replayed, uint64_t lsn) {
  if (replayed >= lsn) return true;
  return replayed % kPage == 0 && lsn - replayed <= kLongPageHeader;
}

NodeHealth::NodeHealth(const std::vector<bool>& listed, HealthLimits limits)
    : servers_(listed.size()), listed_(listed), limits_(limits) {
  if (std::count(listed.begin(), listed.end(), true) == 1) {
    primary_ = static_cast<int>(std::find(listed.begin(), listed.end(), true) - listed.begin());
  }
  for (size_t i = 0; i < servers_.size(); ++i) servers_[i].role = RoleOf(i);
}

void NodeHealth::Inherit(const NodeHealth& before, const std::vector<int>& places) {
  newest_ = before.newest_;
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i] < 0) continue;
    servers_[i] = before.servers_[static_cast<size_t>(places[i])];
    if (places[i] == before.primary_) primary_ = static_cast<int>(i);
  }
  for (size_t i = 0; i < servers_.size(); ++i) servers_[i].role = RoleOf(i);
}

void NodeHealth::OnAnswer(size_t server, const ServerAnswer& answer, TimePoint now) {
  ServerHealth& one = servers_[server];
  ++one.answers;
  one.reachable = true;
  one.answer = answer;
  if (answer.asked_at == TimePoint()) one.answer->asked_at = now;
  one.answered_at = now;
  Decide(now);
  if (answer.in_recovery) {
    JudgeReplica(one, server, now);
  } else if (static_cast<int>(server) == primary_) {
    one.lag_bytes = 0;
    one.lag = Duration::zero();
    // There is nothing else to wait for in a primary than that it is there.
    one.good = limits_.good_answers;
    Good(server);
    Astray(now);
  }
}

void NodeHealth::OnFailure(size_t server, std::string why, TimePoint now) {
  ServerHealth& one = servers_[server];
  ++one.failures;
  one.reachable = false;
  one.lag.reset();
  one.lag_bytes.reset();
  Out(server, Condition::kDown, std::move(why), now);
  Decide(now);
}

void NodeHealth::OnUnasked(size_t server, std::string why, TimePoint now) {
  ServerHealth& one = servers_[server];
  one.reachable = false;
  one.answer.reset();
  one.caught_up_at.reset();
  one.lag.reset();
  one.lag_bytes.reset();
  const bool is_out = one.condition == Condition::kDown;
  if (is_out && now - one.out_since < limits_.trial_after) return;
  one.good = limits_.good_answers;
  Good(server);
  one.error = std::move(why);
  Decide(now);
}

void NodeHealth::OnLoginFailed(size_t server, std::string why, TimePoint now) {
  ++servers_[server].failures;
  Out(server, Condition::kDown, std::move(why), now);
}

void NodeHealth::OnLoggedIn(size_t server) {
  servers_[server].good = limits_.good_answers;
  Good(server);
}

// --- who is the primary ---

bool NodeHealth::Claims(size_t server) const {
  const ServerHealth& one = servers_[server];
  return one.reachable && one.answer.has_value() && !one.answer->in_recovery;
}

// Of two that claim to be primary. Where timelines say nothing, nothing changes.
bool NodeHealth::Newer(size_t a, size_t b) const {
  const ServerAnswer& one = *servers_[a].answer;
  const ServerAnswer& other = *servers_[b].answer;
  if (one.system_id == other.system_id && one.timeline != other.timeline) {
    return one.timeline > other.timeline;
  }
  return static_cast<int>(a) == primary_;
}

int NodeHealth::FindPrimary() const {
  int best = -1;
  for (size_t i = 0; i < servers_.size(); ++i) {
    if (Claims(i) && (best < 0 || Newer(i, static_cast<size_t>(best)))) best = static_cast<int>(i);
  }
  if (best < 0 || best == primary_) return best;
  // The last primary is gone, and this one never followed it: its clients' writes would be missing.
  const ServerAnswer& answer = *servers_[static_cast<size_t>(best)].answer;
  const bool left_behind =
      answer.system_id == newest_.system_id && answer.timeline < newest_.timeline;
  return left_behind ? -1 : best;
}

void NodeHealth::Decide(TimePoint now) {
  const int found = FindPrimary();
  if (found >= 0) {
    const ServerAnswer& answer = *servers_[static_cast<size_t>(found)].answer;
    newest_ = {answer.system_id, answer.timeline};
    if (found != primary_) {
      primary_ = found;
      events_.push_back({Event::Kind::kNewPrimary, static_cast<size_t>(found)});
      servers_[static_cast<size_t>(found)].good = limits_.good_answers;
      Good(static_cast<size_t>(found));
    }
    headless_ = false;
  } else if (primary_ >= 0) {
    // One that is merely gone may come back, and is waited for as such.
    const ServerHealth& last = servers_[static_cast<size_t>(primary_)];
    if (last.reachable && last.answer->in_recovery) {
      events_.push_back({Event::Kind::kNoPrimary, static_cast<size_t>(primary_)});
      primary_ = -1;
      headless_ = true;
    }
  }
  for (size_t i = 0; i < servers_.size(); ++i) {
    servers_[i].role = RoleOf(i);
    if (static_cast<int>(i) == primary_ || !Claims(i)) continue;
    if (servers_[i].condition != Condition::kStale) {
      events_.push_back({Event::Kind::kSplitBrain, i});
    }
    Out(i, Condition::kStale,
        fmt::format("not in recovery, on timeline {}, beside the primary's timeline {}",
                    servers_[i].answer->timeline, newest_.timeline),
        now);
  }
}

ServerRole NodeHealth::RoleOf(size_t server) const {
  if (static_cast<int>(server) == primary_) return ServerRole::kPrimary;
  const ServerHealth& one = servers_[server];
  if (one.reachable && one.answer.has_value()) {
    return one.answer->in_recovery ? ServerRole::kReplica : ServerRole::kPrimary;
  }
  const bool was_replica = one.answer.has_value() && one.answer->in_recovery;
  return was_replica || !listed_[server] ? ServerRole::kReplica : ServerRole::kUnknown;
}

// --- whether a replica is close enough ---

// The clock of the last transaction stands still where nothing is written, so a replica lags no
// more than since it last had all that the primary had.
void NodeHealth::MeasureLag(ServerHealth& replica, TimePoint now) const {
  const ServerAnswer& answer = *replica.answer;
  const ServerHealth* primary = primary_ >= 0 ? &servers_[static_cast<size_t>(primary_)] : nullptr;
  if (primary == nullptr || !primary->answer.has_value()) {
    const bool has_all = answer.received != 0 && HasReplayed(answer.lsn, answer.received);
    replica.lag = has_all ? Duration::zero() : answer.since_replay;
    replica.lag_bytes.reset();
    return;
  }
  const uint64_t written = primary->answer->lsn;
  const bool has_all = HasReplayed(answer.lsn, written);
  replica.lag_bytes = has_all ? 0 : written - answer.lsn;
  if (has_all) {
    replica.caught_up_at = primary->answer->asked_at;
    replica.lag = Duration::zero();
    return;
  }
  replica.lag = answer.since_replay;
  if (!replica.caught_up_at.has_value()) return;
  const Duration since = now - *replica.caught_up_at;
  replica.lag = replica.lag.has_value() ? std::min(*replica.lag, since) : since;
}

void NodeHealth::JudgeReplica(ServerHealth& replica, size_t server, TimePoint now) {
  if (newest_.system_id != 0 && replica.answer->system_id != newest_.system_id) {
    return Out(server, Condition::kStale, "belongs to another cluster than the primary", now);
  }
  MeasureLag(replica, now);
  if (limits_.max_lag == Duration::zero() ||
      (replica.lag.has_value() && *replica.lag <= limits_.max_lag)) {
    ++replica.good;
    return Good(server);
  }
  Out(server, Condition::kLagging,
      replica.lag.has_value() ? fmt::format("{:.1f} s behind (max_lag {:.1f} s)",
                                            SecondsOf(*replica.lag), SecondsOf(limits_.max_lag))
                              : "behind, for nobody knows how long",
      now);
}

// A replica that has replayed what the primary, asked later, has not written follows another
// history.
void NodeHealth::Astray(TimePoint now) {
  const ServerAnswer& primary = *servers_[static_cast<size_t>(primary_)].answer;
  for (size_t i = 0; i < servers_.size(); ++i) {
    ServerHealth& one = servers_[i];
    if (!one.reachable || !one.answer->in_recovery) continue;
    if (HasReplayed(primary.lsn, one.answer->lsn)) continue;
    one.caught_up_at.reset();
    Out(i, Condition::kStale, "has replayed more than the primary has written", now);
  }
}

void NodeHealth::Good(size_t server) {
  ServerHealth& one = servers_[server];
  const bool is_new = one.condition == Condition::kUnknown;
  if (one.condition == Condition::kUp) return one.error.clear();
  one.condition =
      is_new || one.good >= limits_.good_answers ? Condition::kUp : Condition::kReturning;
  if (!one.usable()) return;
  one.error.clear();
  if (!is_new) events_.push_back({Event::Kind::kBack, server});
}

void NodeHealth::Out(size_t server, ServerCondition condition, std::string why, TimePoint now) {
  ServerHealth& one = servers_[server];
  const bool was_in = one.usable() || one.condition == Condition::kUnknown;
  one.good = 0;
  one.error = std::move(why);
  one.condition = condition;
  if (was_in) one.out_since = now;
  if (was_in) events_.push_back({Event::Kind::kOut, server});
}

}  // namespace pgweir::pooler
