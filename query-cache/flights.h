#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "base/mutex.h"
#include "query-cache/entry.h"

// Many ask the same at once, and one of them asks the server: of those with the same key one leads,
// and the others wait for its answer. It doesn't matter whether there was none yet, or one that has
// expired or is being refreshed.
//
// No thread waits here, and no mutex is held while anybody is called back.

namespace pgweir::cache {

class Flights;
struct Flight;

// To lead: to ask the server, and to say how that went. Destroyed without a word it has failed.
//
// Whoever comes to lead looks in the store once more: another's answer may have got there between
// its own look and now.
class Lead {
 public:
  Lead(Lead&& other) noexcept = default;
  Lead& operator=(Lead&& other) noexcept;
  ~Lead() { Fail(); }

  // All who wait get the answer. When it has been put into the store: who comes from now on leads.
  // One that may not be stored since a write has overtaken it is still theirs: they asked before.
  void Land(const EntryRef& answer);
  // There is an answer, and it is none for others: too large, with a notice, not complete. They ask
  // the server themselves, all at once.
  void GiveUp();
  // There is none: this client has gone, is cancelled, has got an error, which is its own. The next
  // in line leads.
  void Fail();

 private:
  friend class Flights;
  Lead(Flights& flights, std::shared_ptr<Flight> flight);

  Flights* flights_;
  std::shared_ptr<Flight> flight_;  // null once it is over
};

// A place in the line. Gives it up on destruction.
class Wait {
 public:
  Wait(Wait&& other) noexcept = default;
  Wait& operator=(Wait&& other) noexcept;
  ~Wait() { Leave(); }

  // For a time-out or a cancel of its own. False: the news are on their way already, or came.
  bool Leave();

 private:
  friend class Flights;
  Wait(Flights& flights, std::shared_ptr<Flight> flight, uint64_t number);

  Flights* flights_;
  std::shared_ptr<Flight> flight_;  // null once it has left
  uint64_t number_;
};

struct Alone {};  // ask the server yourself
using News = std::variant<EntryRef, Lead, Alone>;
// Called once at most, on whatever thread the news come from; hands them to the waiter's own. It
// may be running when the Wait is left or destroyed, so it owns what it uses. One that drops a Lead
// passes it on.
using Tell = absl::AnyInvocable<void(News)>;

// Outlives the Leads and Waits that it gives. Any thread.
class Flights {
 public:
  Flights() : parts_(kParts) {}
  Flights(const Flights&) = delete;
  Flights& operator=(const Flights&) = delete;

  // `reading` is of just now. Who comes after a write doesn't wait for an answer that may lack it,
  // but leads anew, and who comes later waits for that one. (A write that nobody has been told of
  // may be in the answer or not, whatever other reads have shown of it.)
  std::variant<Lead, Wait> Join(const Key& key, const Reading& reading, Tell tell);
  // Without waiting, for whoever has an old answer to serve: none when another leads.
  std::optional<Lead> TryLead(const Key& key, const Reading& reading);

  // Under way, each with a leader.
  size_t size() const;

 private:
  friend class Lead;
  friend class Wait;
  struct LowHalf {
    size_t operator()(const Hash128& hash) const { return hash.low; }
  };
  struct alignas(128) Part {
    mutable Mutex mutex;
    absl::flat_hash_map<Hash128, std::shared_ptr<Flight>, LowHalf> flights ABSL_GUARDED_BY(mutex);
  };
  static constexpr size_t kParts = 64;

  Part& PartOf(const Hash128& hash) { return parts_[(hash.high >> 32) % kParts]; }
  static Flight* FindIn(Part& part, const Key& key, const Reading& reading)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(part.mutex);
  static std::shared_ptr<Flight> Begin(Part& part, const Key& key, const Reading& reading)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(part.mutex);
  // So that nobody joins it any more.
  static void Close(Part& part, const Flight& flight) ABSL_EXCLUSIVE_LOCKS_REQUIRED(part.mutex);

  // What Lead and Wait do.
  std::map<uint64_t, Tell> End(Flight& flight);
  void PassOn(const std::shared_ptr<Flight>& flight);
  static Tell NextLeader(Part& part, Flight& flight);
  bool Leave(Flight& flight, uint64_t number);

  std::vector<Part> parts_;
};

}  // namespace pgweir::cache
