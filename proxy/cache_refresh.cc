#include "proxy/cache_refresh.h"

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "wire/byte_reader.h"

namespace pgweir::proxy {
namespace {

// The DataRow messages, whose order a query without ORDER BY leaves open.
std::vector<std::string_view> InOrder(std::string_view rows) {
  std::vector<std::string_view> messages;
  while (rows.size() >= wire::kHeaderSize) {
    wire::ByteReader header(wire::AsBytes(rows));
    header.Byte();
    const size_t size = std::min<size_t>(1 + header.Int32().value_or(0), rows.size());
    if (size < wire::kHeaderSize) break;
    messages.push_back(rows.substr(0, size));
    rows.remove_prefix(size);
  }
  std::sort(messages.begin(), messages.end());
  return messages;
}

bool SameAnswer(const cache::Entry& entry, const AnswerCapture& capture) {
  if (entry.tag != capture.tag) return false;
  return entry.rows == capture.rows || InOrder(entry.rows) == InOrder(capture.rows);
}

}  // namespace

cache::EntryRef MakeEntry(EntryOrigin origin, AnswerCapture& capture) {
  cache::Entry entry;
  entry.key = std::move(origin.key);
  entry.hash = origin.hash;
  entry.rows = std::move(capture.rows);
  entry.row_description = std::move(capture.row_description);
  entry.tag = std::move(capture.tag);
  entry.row_count = capture.row_count;
  entry.database = origin.extent.database;
  for (const cache::Extent::Table& table : origin.extent.tables) entry.tables.push_back(table.id);
  entry.digest = origin.digest;
  entry.rule = origin.rule;
  entry.reading = std::move(origin.reading);
  entry.sent_at = origin.sent_at;
  return cache::Seal(std::move(entry));
}

void Publish(cache::QueryCache& cache, cache::Lead& lead, const cache::EntryRef& entry,
             bool keeps) {
  if (keeps && cache.versions.MayStore(entry->reading)) cache.store.Put(entry);
  lead.Land(entry);
}

net::Task<void> RefreshEntry(net::Worker& worker, cache::QueryCache& cache, cache::Lead lead,
                             UnattendedRead read, EntryOrigin origin, bool keeps_empty) {
  AnswerCapture capture = co_await ReadUnattended(worker, std::move(read));
  if (!capture.complete()) {
    if (capture.too_long()) {
      cache.store.CountTooLarge();
      lead.GiveUp();
    }
    co_return;
  }
  const cache::EntryRef entry = MakeEntry(std::move(origin), capture);
  Publish(cache, lead, entry, entry->row_count > 0 || keeps_empty);
}

net::Task<void> VerifyEntry(net::Worker& worker, cache::QueryCache& cache, UnattendedRead read,
                            cache::EntryRef entry, bool switches_off) {
  const AnswerCapture capture = co_await ReadUnattended(worker, std::move(read));
  // A write since then explains any difference.
  if (!capture.complete() || !cache.versions.Holds(entry->reading)) co_return;
  cache.verified.fetch_add(1, std::memory_order_relaxed);
  if (SameAnswer(*entry, capture)) co_return;
  cache.differences.fetch_add(1, std::memory_order_relaxed);
  LogWarn(
      "cached answer differs from the server's digest={:016x} key={:016x}{:016x} age_ms={}{}",
      entry->digest, entry->hash.high, entry->hash.low,
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - entry->sent_at).count(),
      switches_off ? " rule=off" : "");
  cache.store.Erase(*entry);
  if (switches_off) cache.SwitchOff(entry->rule);
}

}  // namespace pgweir::proxy
