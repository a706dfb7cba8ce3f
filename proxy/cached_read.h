#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "config/config.h"
#include "net/event.h"
#include "net/worker.h"
#include "proxy/answer_capture.h"
#include "proxy/cache_admissions.h"
#include "proxy/cache_refresh.h"
#include "proxy/cacheable_request.h"
#include "proxy/write_watch.h"
#include "query-cache/query_cache.h"
#include "router/hints.h"

namespace pgweir::proxy {

// Where the news of an answer that a session waits for arrive, from whatever thread.
class NewsBox {
 public:
  NewsBox(net::Worker& worker, net::Event& event) : worker_(worker), event_(&event) {}

  // Any thread. Of the box, which stays for as long as it may be told something.
  static cache::Tell TellTo(std::shared_ptr<NewsBox> box);
  // On the worker. The session listens no more.
  void Abandon() { event_ = nullptr; }
  std::optional<cache::News> Take();

 private:
  net::Worker& worker_;
  net::Event* event_;  // the worker's thread's
  Mutex mutex_;
  std::optional<cache::News> news_ ABSL_GUARDED_BY(mutex_);
};

// The database of a node as its server calls it, for clients that ask for `name`: what has another
// name leads to another one.
cache::DatabaseId ServersDatabase(const config::Node& node, const std::string& name);

// What the settings of a session say for its answers. Made anew when they are another object.
struct CacheSettings {
  wire::ParametersRef of;
  std::string fingerprint;  // of all that may change an answer; equal bytes mean equal settings
  std::string role, search_path;
  size_t analysis = 0;  // Statement::analysis of what it prepares now
  std::optional<router::Hints::Cache> wish;
  Duration statement_timeout{};  // that the client has set; zero = none
  cache::Refusal refusal = cache::Refusal::kNone;
};
CacheSettings CacheSettingsOf(wire::ParametersRef parameters);

// What a session on a process with a cache knows of the read under way.
struct CachedRead {
  CachedRead(cache::QueryCache& cache, Planners& planners, bool in_transactions)
      : cache(cache), writes(cache, planners), in_transactions(in_transactions) {}

  CachedRead(const CachedRead&) = delete;
  CachedRead& operator=(const CachedRead&) = delete;
  // Whoever has news for it finds nobody.
  ~CachedRead() { Forget(); }

  // Nobody asks any more, neither the cache nor a server.
  void Forget() {
    lead.reset();
    wait.reset();
    if (news != nullptr) news->Abandon();
    news = nullptr;
    stale = nullptr;
    filling = waiting = retried = false;
  }

  // What was to be kept has passed, or will not be kept.
  bool answer_is_over() const { return filling && (capture.complete() || capture.given_up()); }
  // The read may be sent once more, when its backend is lost before it has said anything.
  bool may_retry() const { return filling && !retried; }

  cache::QueryCache& cache;
  WriteWatch writes;
  CacheSettings settings;
  const bool in_transactions;  // its reads may be answered, too
  // The client's transaction is READ COMMITTED, and has but read so far.
  bool only_reads = false;

  // Of the read under way.
  CacheableRequest request;
  EntryOrigin origin;
  cache::Lifetimes lifetimes;
  std::optional<cache::Lead> lead;
  std::optional<cache::Wait> wait;
  std::shared_ptr<NewsBox> news;
  cache::EntryRef stale;  // for the case that no server can be reached
  AnswerCapture capture;
  bool filling = false;  // the server's answer is kept
  bool waiting = false;  // for another's
  bool retried = false;  // it was sent again, after its backend was lost
  bool answered = false;
  bool storable = true;  // the server that answers has replayed all that is known to be written
};

}  // namespace pgweir::proxy
