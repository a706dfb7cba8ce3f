#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "wire/protocol.h"

// The untyped packets that open a connection (PostgreSQL documentation, "Start-up").

namespace pgweir::wire {

struct SslRequest {};
struct GssEncRequest {};

// Key length is 4 bytes in protocol 3.0, 4 to 256 in 3.2.
struct CancelRequest {
  uint32_t process_id = 0;
  std::string secret;
};

struct StartupMessage {
  uint16_t minor = 0;  // of the protocol the client asked for; the major is 3
  // In the order sent; of duplicates only the last, at the place of the first. Without `_pq_.`
  // names, `user`, `database`, `replication` and `options`, which have fields of their own.
  std::vector<std::pair<std::string, std::string>> settings;
  // What `options` sets (-c name=value, --name=value), in order.
  std::vector<std::pair<std::string, std::string>> options;
  std::string user;         // never empty
  std::string database;     // the user's name when the client gave none
  std::string replication;  // "" = an ordinary connection; else the text the client sent
  std::vector<std::string> unsupported;  // the _pq_.* names it asked for
};

using StartupPacket = std::variant<SslRequest, GssEncRequest, CancelRequest, StartupMessage>;

// Length of the start-up packet that begins with `in`, length word included; 0 while fewer than
// four bytes are there. An error when the length can't be one (8 to kMaxStartupLength).
StatusOr<size_t> StartupLength(Bytes in);

// Whether a packet of at least 8 bytes says that it is a CancelRequest, well-formed or not.
bool IsCancelRequest(Bytes packet);

// Decodes one whole packet, of the length that StartupLength gave. Errors carry the SQLSTATE that
// PostgreSQL gives: 28000 without a user, 08P01 for a malformed packet, 0A000 for a major version
// that is not 3.
StatusOr<StartupPacket> DecodeStartup(Bytes packet);

// Splits the `options` start-up parameter as PostgreSQL's pg_split_opts and
// process_postgres_switches do: whitespace separates, a backslash keeps the next character; -c
// name=value, -cname=value and
// --name=value ('-' in the name means '_'). Anything else is an error, SQLSTATE 22023.
StatusOr<std::vector<std::pair<std::string, std::string>>> SplitOptions(std::string_view options);

}  // namespace pgweir::wire
