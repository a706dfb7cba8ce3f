#include "pooler/replica_pick.h"

#include <algorithm>

namespace pgweir::pooler {
namespace {

// Below this, latencies are noise; and a server without statements yet must not get all of them.
constexpr std::chrono::microseconds kLeastLatency{100};

bool Suits(const ServerView& server, const ReplicaWish& wish) {
  if (server.role != ServerRole::kReplica || !server.usable()) return false;
  const bool labelled = wish.label.empty()
                            ? server.labels.empty()
                            : std::ranges::find(server.labels, wish.label) != server.labels.end();
  if (!labelled) return false;
  if (wish.max_lag > Duration::zero() && server.lag > wish.max_lag) return false;
  if (wish.caught_up_since != TimePoint() &&
      (!server.caught_up_at.has_value() || *server.caught_up_at < wish.caught_up_since)) {
    return false;
  }
  return wish.min_lsn == 0 || (server.lsn != 0 && HasReplayed(server.lsn, wish.min_lsn));
}

// How long a statement that is sent there now may take.
double Cost(const ServerView& server) {
  if (server.watch == nullptr) return 0;
  const Duration latency = std::max<Duration>(server.watch->latency(), kLeastLatency);
  return static_cast<double>(server.watch->in_flight() + 1) * static_cast<double>(latency.count());
}

}  // namespace

std::optional<size_t> PickReplica(const NodeView& view, const ReplicaWish& wish,
                                  std::minstd_rand& random) {
  // The first two of a random order, found in one pass.
  std::optional<size_t> first, second;
  unsigned seen = 0;
  for (size_t i = 0; i < view.servers.size(); ++i) {
    if (!Suits(view.servers[i], wish)) continue;
    const unsigned place = std::uniform_int_distribution<unsigned>(0, seen++)(random);
    if (place == 0) {
      second = std::exchange(first, i);
    } else if (place == 1) {
      second = i;
    }
  }
  if (!second.has_value()) return first;
  return Cost(view.servers[*second]) < Cost(view.servers[*first]) ? second : first;
}

}  // namespace pgweir::pooler
