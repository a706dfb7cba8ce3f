#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "config/config.h"

// The pool's decisions on numbers, as functions of values.

namespace pgweir::pooler {

// A backend that has been idle for longer is asked whether it still answers (pool.pre_ping).
inline constexpr std::chrono::milliseconds kPingAfter{30'000};

// How many backends to start now. `open` counts those that exist, leased or idle, `connecting`
// those under way, `waiting` the clients in the queue. Never more than waiting clients need beyond
// what is under way, never beyond size + overflow.
int BackendsToOpen(const config::Pool& limits, int open, int connecting, int waiting);

// The same to keep min_size, when nobody waits.
int BackendsToKeepReady(const config::Pool& limits, int open, int connecting);

// Pause before the next attempt after `failures` in a row (at least 1): 100 ms doubling up to 1 s,
// times 0.5 to 1.0 by `random` in [0, 1).
Duration ConnectBackoff(int failures, double random);

// A client that begins to wait during the pause must see several attempts before its time is over.
Duration MaxConnectPause(Duration wait_timeout);

// When a backend opened now is to be replaced: up to a tenth earlier than `recycle` says, so that
// backends opened together don't end together. kNoDeadline when recycling is off.
TimePoint RetireAt(TimePoint opened, Duration recycle, double random);

// Whether trying again soon may mend a failure to connect: true for an unreachable or starting
// server and for one that has no connection left, false for a login or database that it refuses.
bool WorthRetrying(const Status& failure);

}  // namespace pgweir::pooler
