#pragma once

#include <string>

#include "proxy/course.h"
#include "proxy/host.h"
#include "proxy/http_server.h"
#include "proxy/snapshot.h"

namespace pgweir::proxy {

// What the page at / asks every two seconds (web/dashboard/): the last minutes, servers, pools, the
// shard map with its load, the cache, the digests that took the most time. Texts of statements come
// without their literals. Belongs to the thread that answers HTTP.
class Dashboard {
 public:
  // Often: keeps the course of the last minutes.
  void Follow(const Shared& shared, TimePoint now) { course_.Follow(shared, now); }

  static HttpAnswer Page();
  // The same for all who ask within a second.
  HttpAnswer Data(const Shared& shared, const Snapshot& snapshot, TimePoint now);

 private:
  Course course_;
  const TimePoint since_ = Clock::now();
  std::string data_;
  TimePoint data_at_{};
};

}  // namespace pgweir::proxy
