#pragma once

#include <optional>

#include "net/task.h"
#include "proxy/answer_capture.h"
#include "proxy/unattended_read.h"
#include "query-cache/query_cache.h"

namespace pgweir::proxy {

// What an entry is made of beside the server's answer.
struct EntryOrigin {
  std::string key;
  cache::Hash128 hash;
  cache::RuleId rule;
  cache::Extent extent;
  uint64_t digest = 0;
  cache::Reading reading;  // taken before the query is sent
  TimePoint sent_at{};
};

// Of an answer that is complete.
cache::EntryRef MakeEntry(EntryOrigin origin, AnswerCapture& capture);

// Whoever waits gets the answer, and so do those who come later, if `keeps` and no write has
// outdated it.
void Publish(cache::QueryCache& cache, cache::Lead& lead, const cache::EntryRef& entry, bool keeps);

// Fetches the answer anew with nobody waiting for it but those who come meanwhile. On the worker's
// thread; started by net::Spawn.
net::Task<void> RefreshEntry(net::Worker& worker, cache::QueryCache& cache, cache::Lead lead,
                             UnattendedRead read, EntryOrigin origin, bool keeps_empty);

// Asks the server what the entry answers, and counts whether it says the same. `switches_off`: a
// difference ends the rule's use until a restart.
net::Task<void> VerifyEntry(net::Worker& worker, cache::QueryCache& cache, UnattendedRead read,
                            cache::EntryRef entry, bool switches_off);

}  // namespace pgweir::proxy
