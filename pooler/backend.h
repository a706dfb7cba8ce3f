#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "net/stream.h"
#include "pooler/prepared_statements.h"
#include "pooler/quota.h"
#include "pooler/server_connection.h"
#include "pooler/server_watch.h"
#include "wire/frame_scanner.h"
#include "wire/parameters.h"
#include "wire/reply_tracker.h"

namespace pgweir::pooler {

// Where a backend's connection comes from and leads to; never changes.
struct BackendOrigin {
  int process_id = 0;  // the server's
  std::string address, port;
  std::string local_address, local_port;  // "" over a unix socket
  std::string tls;                        // version and cipher; "" = none
  std::chrono::system_clock::time_point opened_at;
};

// A connection to a server, carried by net/. Whoever opened it keeps the socket and its TLS
// session; we read and write them. One thread at a time touches a backend: whoever holds its lease,
// or the pool under its mutex.
class Backend {
 public:
  // `connection` has just been logged in.
  Backend(BackendId id, ServerConnection connection);

  BackendId id() const { return id_; }
  int process_id() const { return origin_.process_id; }
  const BackendOrigin& origin() const { return origin_; }
  net::Stream& stream() { return stream_; }
  // Outlives the backend where a cancel still runs; null when the server gave no key for it.
  const std::shared_ptr<const ServerCancel>& cancel() const { return connection_.cancel; }

  wire::ReplyTracker tracker;
  wire::FrameScanner scanner{wire::ServerHead};
  // The start of a message that had not arrived whole when it was read.
  std::string unscanned;
  // The settings that the server has for this connection now.
  wire::ParametersRef parameters;
  // Statements of clients that are prepared here, and which client's is the unnamed one.
  PreparedStatements prepared;
  uint64_t unnamed = kNoStatement;
  static constexpr uint64_t kNoStatement = 0, kUnknownStatement = 1;  // others are clients' numbers
  // The server's; null = nobody is interested.
  std::shared_ptr<ServerWatch> watch;
  // The server has this setting from now on.
  void Report(std::string_view name, std::string_view value);
  // Names with a dot that were ever set here, which a server doesn't forget, as one number. A
  // connection serves only clients with the same number once it is not 0.
  uint64_t custom_settings = 0;
  static constexpr uint64_t kUnknownSettings = UINT64_MAX;  // it serves nobody else
  // Why this connection may hold state of a client that nobody has seen, and must be reset before
  // another gets it; null = it holds none.
  const char* suspect = nullptr;

  TimePoint opened_at;
  TimePoint retire_at = kNoDeadline;
  TimePoint idle_since;

 private:
  friend class Pool;

  // Where a backend is in its life; changed by Pool::Move only, under the pool's mutex.
  enum class State : uint8_t {
    kIdle,            // in an idle list, parked
    kLeased,          // with a session, or granted to one that waits
    kBeingCancelled,  // free, but a cancel may still be on its way: another client must not get it
  };

  const BackendId id_;
  ServerConnection connection_;  // before stream_: the socket is given back before it is closed
  BackendOrigin origin_;
  net::Stream stream_;

  State state_ = State::kLeased;
  Place place_;
  int cancels_under_way_ = 0;
  bool poked_ = false;  // an event came while nobody listened
  uint64_t target_version_ = 0;
};

// Decodes the messages that a server may send on its own: reports settings into
// backend.parameters. False when something else came, or the end.
bool DrainUnasked(Backend& backend, std::span<std::byte> scratch);

}  // namespace pgweir::pooler
