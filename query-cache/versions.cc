#include "query-cache/versions.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "router/text_hash.h"

namespace pgweir::cache {
namespace {

// One word holds how many writes are on their way, in its low bits, and above them how many have
// ever begun: it is another with each that begins or ends. The low bits have room for every client
// there may be; the others for two hundred days of a million writes a second, and then an old
// Reading would have to meet the very same number.
constexpr int kWriterBits = 20;
constexpr uint64_t kWriters = (uint64_t{1} << kWriterBits) - 1;
constexpr uint64_t kBegins = (uint64_t{1} << kWriterBits) + 1;
constexpr uint64_t kEnds = ~uint64_t{0};  // one less

// What the versions of a table stand for. A read of symbols asks for kWhole and those symbols, a
// read of the table for kAny; so each kind of write outdates both kinds of answers.
enum Kind : uint64_t {
  kEverything,
  kDatabase,
  kAny,    // something in the table was written
  kWhole,  // the table was written, and it isn't known which symbols of it
  kSymbols,
};

uint64_t KindOf(SymbolId symbol) { return kSymbols + symbol.value; }

// Spreads what is a hash and a small number, or two hashes, over all bits.
uint64_t Mixed(uint64_t id, uint64_t kind) {
  constexpr uint64_t kOdd = 0xbb67ae8584caa73b;  // of no structure: from the square root of 3
  uint64_t mixed = (id ^ (kind * kOdd)) * kOdd;
  mixed ^= mixed >> 32;
  return (mixed * kOdd) >> 32;
}

}  // namespace

DatabaseId DatabaseOf(std::string_view database) { return {router::HashText(database)}; }

TableId TableOf(DatabaseId database, std::string_view schema, std::string_view table) {
  return {router::HashText(table, router::HashText(schema, database.value))};
}

SymbolId SymbolOf(std::string_view symbol) { return {router::HashText(symbol)}; }

bool Reading::settled() const {
  const auto is_settled = [](const Stamp& stamp) { return (stamp.version & kWriters) == 0; };
  return known_ && std::ranges::all_of(stamps_, is_settled);
}

Writing& Writing::operator=(Writing&& other) noexcept {
  if (this == &other) return *this;
  End();
  versions_ = other.versions_;
  slots_ = std::move(other.slots_);
  other.slots_.clear();
  return *this;
}

void Writing::End() {
  for (const uint32_t slot : slots_) versions_->Raise(slot, kEnds);
  slots_.clear();
}

Versions::Versions(size_t slots)
    : mask_(static_cast<uint32_t>(slots - 1)),
      slots_(std::make_unique<std::atomic<uint64_t>[]>(slots)) {
  PGWEIR_CHECK(std::has_single_bit(slots) && slots <= (uint64_t{1} << 32));
}

uint32_t Versions::SlotOf(uint64_t id, uint64_t kind) const {
  return static_cast<uint32_t>(Mixed(id, kind)) & mask_;
}

Reading Versions::Read(const Extent& read) const {
  Reading reading;
  if (read.unknown) return reading;
  reading.known_ = true;
  size_t count = 2 + read.further.size();
  for (const Extent::Table& table : read.tables) count += 1 + table.symbols.size();
  reading.stamps_.reserve(count);
  const auto stamp = [&](uint32_t slot) { reading.stamps_.push_back({slot, slots_[slot].load()}); };
  stamp(SlotOf(0, kEverything));
  stamp(SlotOf(read.database.value, kDatabase));
  for (const DatabaseId database : read.further) stamp(SlotOf(database.value, kDatabase));
  for (const Extent::Table& table : read.tables) {
    stamp(SlotOf(table.id.value, table.symbols.empty() ? kAny : kWhole));
    for (const SymbolId symbol : table.symbols) stamp(SlotOf(table.id.value, KindOf(symbol)));
  }
  return reading;
}

bool Versions::Holds(const Reading& reading) const {
  const auto is_current = [this](const Reading::Stamp& stamp) {
    return slots_[stamp.slot].load() == stamp.version;
  };
  return reading.known_ && std::ranges::all_of(reading.stamps_, is_current);
}

// Each slot once: a Writing counts as one there, whatever leads to it.
std::vector<uint32_t> Versions::SlotsOfWrite(const Extent& write) const {
  std::vector<uint32_t> slots;
  if (write.unknown) {
    slots.push_back(SlotOf(write.database.value, kDatabase));
    for (const DatabaseId database : write.further) {
      slots.push_back(SlotOf(database.value, kDatabase));
    }
  }
  for (const Extent::Table& table : write.tables) {
    slots.push_back(SlotOf(table.id.value, kAny));
    if (table.symbols.empty()) slots.push_back(SlotOf(table.id.value, kWhole));
    for (const SymbolId symbol : table.symbols) {
      slots.push_back(SlotOf(table.id.value, KindOf(symbol)));
    }
  }
  std::ranges::sort(slots);
  const auto repeated = std::ranges::unique(slots);
  slots.erase(repeated.begin(), repeated.end());
  return slots;
}

void Versions::BumpAll() {
  const uint32_t slot = SlotOf(0, kEverything);
  Raise(slot, kBegins);
  Raise(slot, kEnds);
}

Writing Versions::Write(const Extent& write) {
  std::vector<uint32_t> slots = SlotsOfWrite(write);
  for (const uint32_t slot : slots) Raise(slot, kBegins);
  return Writing(*this, std::move(slots));
}

}  // namespace pgweir::cache
