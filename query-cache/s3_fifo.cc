#include "query-cache/s3_fifo.h"

#include <algorithm>

namespace pgweir::cache {
namespace {

constexpr size_t kSmallShare = 10;  // one part in so many
constexpr uint8_t kMaxAsked = 3;
constexpr uint8_t kAskedForMain = 2;
constexpr size_t kBytesPerGhost = 1024;  // of capacity: eight bytes in each thousand

}  // namespace

S3Fifo::S3Fifo(size_t capacity) : capacity_(capacity), ghosts_(capacity / kBytesPerGhost) {
  bytes_ = ghosts_.bytes();
}

EntryRef S3Fifo::Find(const Hash128& hash) {
  const auto found = index_.find(hash);
  if (found == index_.end()) return nullptr;
  Node& node = *found->second;
  if (node.asked < kMaxAsked) ++node.asked;
  return node.entry;
}

EntryRef S3Fifo::Insert(EntryRef entry) {
  const auto [found, is_new] = index_.try_emplace(entry->hash);
  if (!is_new) {
    Node& node = *found->second;
    if (node.entry->sent_at > entry->sent_at) return entry;
    Queue& queue = QueueOf(node);
    queue.bytes += entry->bytes - node.entry->bytes;
    bytes_ += entry->bytes - node.entry->bytes;
    std::swap(node.entry, entry);
    return entry;
  }
  // As many ghosts are remembered as there are entries in the main queue.
  const bool is_main = ghosts_.Take(entry->hash, main_.nodes.size());
  Queue& queue = is_main ? main_ : small_;
  queue.bytes += entry->bytes;
  bytes_ += entry->bytes;
  queue.nodes.push_front({std::move(entry), static_cast<uint32_t>(all_.size()), 0, is_main});
  found->second = queue.nodes.begin();
  all_.push_back(queue.nodes.begin());
  return nullptr;
}

EntryRef S3Fifo::Evict() {
  const bool small_is_full = small_.bytes >= capacity_ / kSmallShare && !small_.nodes.empty();
  return small_is_full || main_.nodes.empty() ? EvictFromSmall() : EvictFromMain();
}

EntryRef S3Fifo::EvictFromSmall() {
  const Place oldest = std::prev(small_.nodes.end());
  if (oldest->asked >= kAskedForMain) {
    oldest->asked = 0;
    Move(oldest);
    return nullptr;
  }
  ghosts_.Add(oldest->entry->hash);
  return Remove(oldest);
}

EntryRef S3Fifo::EvictFromMain() {
  const Place oldest = std::prev(main_.nodes.end());
  if (oldest->asked == 0) return Remove(oldest);
  --oldest->asked;
  Move(oldest);
  return nullptr;
}

void S3Fifo::Move(Place place) {
  Queue& from = QueueOf(*place);
  from.bytes -= place->entry->bytes;
  main_.bytes += place->entry->bytes;
  main_.nodes.splice(main_.nodes.begin(), from.nodes, place);
  place->is_main = true;
}

EntryRef S3Fifo::Erase(const Entry& entry) {
  const auto found = index_.find(entry.hash);
  if (found == index_.end() || found->second->entry.get() != &entry) return nullptr;
  return Remove(found->second);
}

EntryRef S3Fifo::Remove(Place place) {
  EntryRef entry = std::move(place->entry);
  all_.back()->number = place->number;
  all_[place->number] = all_.back();
  all_.pop_back();
  index_.erase(entry->hash);
  Queue& queue = QueueOf(*place);
  queue.bytes -= entry->bytes;
  bytes_ -= entry->bytes;
  queue.nodes.erase(place);
  return entry;
}

}  // namespace pgweir::cache
