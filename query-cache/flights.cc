#include "query-cache/flights.h"

#include <utility>

namespace pgweir::cache {

// Guarded by the mutex of its part. `key`, `hash` and `reading` never change.
struct Flight {
  std::string key;
  Hash128 hash;
  // The first leader's. Those who follow it read later, so that whoever may wait for the first may
  // wait for them.
  Reading reading;
  std::map<uint64_t, Tell> line;  // by number, first come first
  uint64_t next_number = 0;
  bool passing_on = false;    // somebody is looking for the next leader
  bool failed_again = false;  // and the one that it found has failed meanwhile
};

Lead::Lead(Flights& flights, std::shared_ptr<Flight> flight)
    : flights_(&flights), flight_(std::move(flight)) {}

Lead& Lead::operator=(Lead&& other) noexcept {
  if (this == &other) return *this;
  Fail();
  flights_ = other.flights_;
  flight_ = std::move(other.flight_);
  return *this;
}

void Lead::Land(const EntryRef& answer) {
  if (flight_ == nullptr) return;
  for (auto& [number, tell] : flights_->End(*std::exchange(flight_, nullptr))) tell(answer);
}

void Lead::GiveUp() {
  if (flight_ == nullptr) return;
  for (auto& [number, tell] : flights_->End(*std::exchange(flight_, nullptr))) tell(Alone());
}

void Lead::Fail() {
  if (flight_ != nullptr) flights_->PassOn(std::exchange(flight_, nullptr));
}

Wait::Wait(Flights& flights, std::shared_ptr<Flight> flight, uint64_t number)
    : flights_(&flights), flight_(std::move(flight)), number_(number) {}

Wait& Wait::operator=(Wait&& other) noexcept {
  if (this == &other) return *this;
  Leave();
  flights_ = other.flights_;
  flight_ = std::move(other.flight_);
  number_ = other.number_;
  return *this;
}

bool Wait::Leave() {
  if (flight_ == nullptr) return false;
  return flights_->Leave(*std::exchange(flight_, nullptr), number_);
}

Flight* Flights::FindIn(Part& part, const Key& key, const Reading& reading) {
  const auto found = part.flights.find(key.hash);
  if (found == part.flights.end()) return nullptr;
  Flight& flight = *found->second;
  return flight.key == key.bytes && flight.reading == reading ? &flight : nullptr;
}

// In the place of one that nobody may wait for any more; that goes on for those who do.
std::shared_ptr<Flight> Flights::Begin(Part& part, const Key& key, const Reading& reading) {
  auto flight = std::make_shared<Flight>();
  flight->key = key.bytes;
  flight->hash = key.hash;
  flight->reading = reading;
  part.flights[key.hash] = flight;
  return flight;
}

void Flights::Close(Part& part, const Flight& flight) {
  const auto found = part.flights.find(flight.hash);
  if (found != part.flights.end() && found->second.get() == &flight) part.flights.erase(found);
}

std::variant<Lead, Wait> Flights::Join(const Key& key, const Reading& reading, Tell tell) {
  Part& part = PartOf(key.hash);
  MutexLock lock(part.mutex);
  Flight* const flight = FindIn(part, key, reading);
  if (flight == nullptr) return Lead(*this, Begin(part, key, reading));
  const uint64_t number = flight->next_number++;
  flight->line.emplace(number, std::move(tell));
  return Wait(*this, part.flights.find(key.hash)->second, number);
}

std::optional<Lead> Flights::TryLead(const Key& key, const Reading& reading) {
  Part& part = PartOf(key.hash);
  MutexLock lock(part.mutex);
  if (FindIn(part, key, reading) != nullptr) return std::nullopt;
  return Lead(*this, Begin(part, key, reading));
}

std::map<uint64_t, Tell> Flights::End(Flight& flight) {
  Part& part = PartOf(flight.hash);
  MutexLock lock(part.mutex);
  Close(part, flight);
  return std::exchange(flight.line, {});
}

// A loop, not a recursion, where one waiter after the other drops the Lead as it gets it.
void Flights::PassOn(const std::shared_ptr<Flight>& flight) {
  Part& part = PartOf(flight->hash);
  {
    MutexLock lock(part.mutex);
    flight->failed_again = true;
    if (std::exchange(flight->passing_on, true)) return;
  }
  while (Tell tell = NextLeader(part, *flight)) tell(Lead(*this, flight));
}

// None when the one that was told last still leads, or when nobody waits.
Tell Flights::NextLeader(Part& part, Flight& flight) {
  MutexLock lock(part.mutex);
  const bool is_vacant = std::exchange(flight.failed_again, false);
  if (is_vacant && !flight.line.empty()) {
    return std::move(flight.line.extract(flight.line.begin()).mapped());
  }
  flight.passing_on = false;
  if (is_vacant) Close(part, flight);
  return nullptr;
}

bool Flights::Leave(Flight& flight, uint64_t number) {
  std::map<uint64_t, Tell>::node_type left;  // ends behind the lock
  MutexLock lock(PartOf(flight.hash).mutex);
  left = flight.line.extract(number);
  return !left.empty();
}

size_t Flights::size() const {
  size_t size = 0;
  for (const Part& part : parts_) {
    MutexLock lock(part.mutex);
    size += part.flights.size();
  }
  return size;
}

}  // namespace pgweir::cache
