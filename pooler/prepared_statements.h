#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace pgweir::pooler {

// The statements that one server connection holds prepared for whoever needs them, by number, the
// most recently used first. What a server does with a Parse or a Close that was sent to it is known
// only when it answers; until then a statement is there for requests of the same batch, because the
// server skips those too if it fails.
//
// A value; used by whoever holds the backend.
class PreparedStatements {
 public:
  enum class Presence : uint8_t {
    kAbsent,
    kThere,   // for requests of this batch at least
    kUnsure,  // an answer is missing: only Close and Parse together make it sure
  };

  // Names on servers that are ours begin like this; a client's own are kept apart from them.
  static constexpr std::string_view kPrefix = "pgweir_";
  // The statement's name on servers.
  static std::string NameOf(uint64_t id);

  // Whether the statement is there for a request of this batch, and if so makes it the newest.
  Presence Use(uint64_t id, uint64_t batch);
  bool IsThere(uint64_t id, uint64_t batch) const;
  // A Parse of it is sent in this batch.
  void Sent(uint64_t id, uint64_t batch);
  // That Parse was answered, by success or not.
  void Answered(uint64_t id, bool prepared);
  // A Close of it is sent; then it was answered, or skipped by the server.
  void Closing(uint64_t id);
  void Closed(uint64_t id, bool done);
  // What it was made for has changed on the server: it is to be made anew.
  void Doubt(uint64_t id);
  void DoubtAll();
  // None is left, as after DISCARD ALL.
  void Clear();

  size_t size() const { return statements_.size(); }
  // The one used longest ago of those that are surely there; 0 = none.
  uint64_t Oldest() const;

 private:
  enum class State : uint8_t { kThere, kSent, kClosing, kUnsure };
  struct Entry {
    State state = State::kSent;
    bool may_remain = false;  // if its Parse is skipped, for the Close before it is then too
    uint64_t batch = 0;       // of its Parse, while that is not answered
    std::list<uint64_t>::iterator age;
  };

  void Move(uint64_t id, State state);

  absl::flat_hash_map<uint64_t, Entry> statements_;
  std::list<uint64_t> by_age_;  // of those that are there; the newest first
};

}  // namespace pgweir::pooler
