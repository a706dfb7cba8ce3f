#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/ids.h"

// Which writes an answer has not seen. Every table, every symbol of a table and every database has
// a version that writers raise and readers compare: a write costs two additions for each, however
// many answers it outdates, and these are found out when they are looked up.
//
// A read takes a Reading before its query is sent. Its answer may be stored, and served, only while
// the Reading still holds. A write raises the versions twice:
//
// - Before its client sees that it is committed. An answer whose snapshot lacks the write has a
//   Reading from before that, so from here on it is served to nobody: who knows of the write, by
//   whatever way, can't read behind it. This one alone keeps every session's own writes.
// - Before the query that commits is sent. Between then and the answer the server may have
// committed
//   at any moment, and reads that go to the server may show it. What was stored before must not be
//   served beside them, lest a session go back in time. For the same reason nothing read in between
//   is stored: the versions count the writes on their way, too.
//
// A Writing does both. It also ends when its COMMIT's answer is lost, as it must: the commit may
// have happened.

namespace pgweir::cache {

using DatabaseId = Id<struct DatabaseTag>;
using TableId = Id<struct TableTag>;
using SymbolId = Id<struct SymbolTag>;

// Ids are hashes of names, the same everywhere. Two names of one id only outdate each other's
// answers.
//
// `database` is the server's, not the client's: two entries of the configuration that lead to the
// same one must have one name here, or the writes of the one are not seen by the other.
DatabaseId DatabaseOf(std::string_view database);
TableId TableOf(DatabaseId database, std::string_view schema, std::string_view table);
SymbolId SymbolOf(std::string_view symbol);

// What a statement reads, or writes.
struct Extent {
  struct Table {
    TableId id;
    std::vector<SymbolId> symbols;  // the only ones concerned; empty = the whole table
  };
  DatabaseId database;
  std::vector<Table> tables;
  // It may be anything in the database.
  bool unknown = false;
  // Those of other nodes, where one statement is about several: `tables` are of all of them.
  std::vector<DatabaseId> further = {};
};

// The versions of a read's extent at one moment. A value of any thread. One that no Versions made
// holds for nothing.
class Reading {
 public:
  // Nothing was being written then, as far as is known.
  bool settled() const;
  size_t heap_bytes() const { return stamps_.capacity() * sizeof(Stamp); }
  bool operator==(const Reading&) const = default;

 private:
  friend class Versions;
  struct Stamp {
    uint32_t slot;
    uint64_t version;
    bool operator==(const Stamp&) const = default;
  };
  bool known_ = false;
  std::vector<Stamp> stamps_;
};

class Versions;

// A write on its way to its commit; see above. Ended on destruction.
class Writing {
 public:
  Writing() = default;
  Writing(Writing&& other) noexcept = default;
  Writing& operator=(Writing&& other) noexcept;
  ~Writing() { End(); }

  // Before the client is told how it went.
  void End();

 private:
  friend class Versions;
  Writing(Versions& versions, std::vector<uint32_t> slots)
      : versions_(&versions), slots_(std::move(slots)) {}

  Versions* versions_ = nullptr;  // outlives this
  std::vector<uint32_t> slots_;   // each once; none once it has ended
};

// All versions of the process, in a table of fixed size: what shares a slot is outdated together.
// Any thread; nothing here waits.
class Versions {
 public:
  static constexpr size_t kDefaultSlots = size_t{1} << 16;

  // A power of two. Eight bytes each.
  explicit Versions(size_t slots = kDefaultSlots);
  Versions(const Versions&) = delete;
  Versions& operator=(const Versions&) = delete;

  // Before the query is sent. When it is unknown what that reads, the Reading never holds.
  Reading Read(const Extent& read) const;

  // An answer with this Reading may be served.
  bool Holds(const Reading& reading) const;
  // An answer with this Reading may be stored.
  bool MayStore(const Reading& reading) const { return reading.settled() && Holds(reading); }

  // Before what commits is sent: a statement outside a transaction, COMMIT, COMMIT PREPARED, the
  // Sync of a pipeline. What a transaction has written before its COMMIT nobody else can see.
  Writing Write(const Extent& write);

  // A write that is over already, or a flush.
  void Bump(const Extent& write) { Write(write).End(); }
  // Whatever was read before is outdated: a flush of everything, another primary.
  void BumpAll();

 private:
  friend class Writing;

  uint32_t SlotOf(uint64_t id, uint64_t kind) const;
  std::vector<uint32_t> SlotsOfWrite(const Extent& write) const;
  void Raise(uint32_t slot, uint64_t by) { slots_[slot].fetch_add(by); }

  uint32_t mask_;
  std::unique_ptr<std::atomic<uint64_t>[]> slots_;
};

}  // namespace pgweir::cache
