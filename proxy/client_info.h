#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace pgweir::proxy {

// A client as the console shows it; made on its worker's thread.
struct ClientInfo {
  uint64_t id = 0;
  bool logged_in = false;
  std::string user, database, replication;
  std::string state;  // PgBouncer's word
  std::string address, port, local_address, local_port;
  int fd = -1;
  int process_id = 0;  // of a peer on a unix socket
  std::string tls;     // "" = none
  std::string application_name;
  int prepared = 0;  // statements that it has named
  bool close_needed = false;
  std::chrono::system_clock::time_point connected_at;
  TimePoint request_at{};                 // of the last one; the epoch = none yet
  TimePoint waiting_since = kNoDeadline;  // for a backend

  // Of the backend that it holds.
  uint64_t backend = 0;  // 0 = none
  int backend_prepared = 0;
  std::string backend_application_name;
};

}  // namespace pgweir::proxy
