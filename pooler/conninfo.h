#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "net/tls_client.h"
#include "pooler/target.h"
#include "wire/parameters.h"

namespace pgweir::pooler {

// One of the servers that a connection string lists.
struct ServerHost {
  std::string name;     // as given: a name, an address, or a folder of unix sockets
  std::string address;  // hostaddr; "" = look the name up
  std::string port;
  bool unix_socket = false;
};

enum class SslMode { kDisable, kAllow, kPrefer, kRequire, kVerifyCa, kVerifyFull };
enum class ChannelBinding { kDisable, kPrefer, kRequire };
enum class SessionAttributes { kAny, kReadWrite, kReadOnly, kPrimary, kStandby, kPreferStandby };

// What a libpq connection string asks of a connection that libpq does not open.
struct ConnectionSettings {
  std::vector<ServerHost> hosts;
  std::string user;
  std::vector<wire::Setting> startup;  // the parameters of the start-up packet
  Duration connect_timeout{};          // of each server; 0 = none
  bool keepalives = true;
  int keepalives_idle = 0, keepalives_interval = 0, keepalives_count = 0;  // 0 = the system's
  int tcp_user_timeout_ms = 0;
  SslMode ssl_mode = SslMode::kPrefer;
  net::TlsClientSettings tls;
  ChannelBinding channel_binding = ChannelBinding::kPrefer;
  SessionAttributes attributes = SessionAttributes::kAny;
};

// The string as libpq reads it, with libpq's defaults, which the environment may set, and the
// target's overrides. An error says what can't be honoured; it never shows a value.
StatusOr<ConnectionSettings> ReadConninfo(const Target& target);

// What a libpq connection string says itself, key=value or URI, by libpq's keywords. An error says
// what is wrong with it.
using ConninfoOptions = std::map<std::string, std::string, std::less<>>;
StatusOr<ConninfoOptions> ParseConninfo(const std::string& connection_string);
// The servers that it lists.
StatusOr<std::vector<ServerHost>> HostsIn(const ConninfoOptions& options);

// The login user that a libpq connection string names; "" when it names none. An error says what is
// wrong with the string.
StatusOr<std::string> UserIn(const std::string& connection_string);

// Where such a string leads; "" for what it does not say. Of a string that UserIn understands.
struct Destination {
  std::string host, port, database, user;
};
Destination DestinationOf(const std::string& connection_string);

}  // namespace pgweir::pooler
