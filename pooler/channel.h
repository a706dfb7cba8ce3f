#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "net/stream.h"
#include "pooler/readiness.h"

namespace pgweir::pooler {

// A stream whose calls wait until they are done, for the sequences that open a connection. An error
// is 08001 with the reason; TimedOut() when the time is over.
class Channel {
 public:
  // Both outlive the channel. `until` bounds all its waits.
  Channel(net::Stream& stream, Readiness& readiness, TimePoint until)
      : stream_(stream), readiness_(readiness), until_(until) {}

  net::Task<Status> Write(std::string bytes);
  // Appends what there is, at least one byte and at most `limit`.
  net::Task<Status> Read(std::string& in, size_t limit = 16'384);
  // Reads up to the end of the stream.
  net::Task<Status> ReadToEnd();
  net::Task<Status> ConnectTls();

 private:
  // After a blocked call.
  net::Task<Status> Wait(Readiness::Way way);
  Readiness::Way WayOf(Readiness::Way plain) const;

  net::Stream& stream_;
  Readiness& readiness_;
  const TimePoint until_;
};

// What an attempt ends with whose time is over.
Status TimedOut();

}  // namespace pgweir::pooler
