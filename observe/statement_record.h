#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include "observe/time_split.h"

// One finished statement as a value: what the slow-query log, the digest table and the hot symbols
// are told. It owns nothing. Whoever fills it in owns what the views point to, and keeps it until
// the call that takes the record returns; nobody keeps the record itself.

namespace pgweir::observe {

using WallTime = std::chrono::system_clock::time_point;

inline uint64_t MicrosOf(WallTime time) {
  using std::chrono::microseconds;
  return static_cast<uint64_t>(
      std::chrono::duration_cast<microseconds>(time.time_since_epoch()).count());
}

enum class NodeRole : uint8_t { kNone, kPrimary, kReplica };

enum class CacheOutcome : uint8_t {
  kNone,    // no rule
  kHit,     // answered from the cache
  kStale,   // likewise, though over its time
  kMiss,    // asked the server; the answer may be kept
  kBypass,  // a rule, but not for this statement
};

// "none", "hit" …
std::string_view NameOf(CacheOutcome outcome);

// Bit n: node n of the database (router::NodeId).
using ShardBits = std::array<uint64_t, 4>;

// A client's connection: the same for all its statements.
struct ClientFacts {
  std::string_view database;
  std::string_view user;
  std::string_view application_name;
  std::string_view address;  // "[local]" of a unix socket
  uint16_t port = 0;         // 0 = none
  uint32_t pid = 0;          // as the console shows it
  WallTime connected;
};

struct StatementParameter {
  bool null = false;
  bool binary = false;
  uint32_t type = 0;  // OID; 0 = the server chose
  std::string_view bytes;
};

struct StatementRecord {
  const ClientFacts* client = nullptr;  // never null where a record is taken
  WallTime finished;                    // the last byte in the client's socket
  TimeSplit times;

  std::string_view text;         // as the client sent it
  std::string_view digest_text;  // without literals; "" = could not be told (router/digest_text.h)
  uint64_t digest = 0;
  bool extended = false;           // by Bind and Execute, not Query
  std::string_view prepared_name;  // with `extended`; "" = unnamed
  std::string_view portal_name;    // likewise
  std::span<const StatementParameter> parameters;
  std::string_view tag;  // CommandComplete's, or the first word of it: "SELECT 5"
  uint64_t number = 0;   // of the client's statements, from 1

  std::span<const std::string_view> nodes;  // those that took part
  ShardBits shards = {};
  NodeRole role = NodeRole::kNone;
  uint32_t backend_pid = 0;  // the server's; 0 = none, or several
  CacheOutcome cache = CacheOutcome::kNone;
  uint64_t rows = 0;   // returned or changed
  uint64_t bytes = 0;  // of the answer, as the client got it
  uint32_t retries = 0;

  std::string_view sqlstate;  // "" = no error
  std::string_view error;     // the message that the client was given

  std::string_view traceparent;  // W3C's; "" = none

  bool failed() const { return !sqlstate.empty(); }
  bool from_cache() const { return cache == CacheOutcome::kHit || cache == CacheOutcome::kStale; }
};

// A plan that was asked for since a statement with this digest took long. Likewise.
struct PlanRecord {
  std::string_view database;
  std::string_view user;
  uint32_t pid = 0;  // of the client, as the console shows it
  WallTime asked;
  uint64_t digest = 0;
  std::string_view node;  // whose plan it is
  std::string_view json;  // EXPLAIN (FORMAT JSON)'s answer
};

}  // namespace pgweir::observe
