#pragma once

#include <cstdint>

#include "base/clock.h"
#include "query-cache/entry.h"

// How old an answer may be: what its rule says now, not what it said when the answer was stored.
// Nothing here knows of writes: an answer whose Reading no longer holds is not served at any age.

namespace pgweir::cache {

// Of a rule, or of a statement that says how long itself. All count from when a query was sent.
struct Lifetimes {
  Duration ttl{};
  Duration empty_ttl{};  // in its place for an answer without rows; zero = such are not cached
  // Behind that time, as in RFC 5861 (HTTP's cache-control extensions for stale content): so long
  // the old answer may still be given to whoever asks while a new one is fetched,
  Duration stale_while_revalidate{};
  Duration stale_if_error{};  // and so long when no new one can be had.
  bool operator==(const Lifetimes&) const = default;
};

// What may be done in one of these may be done in those before it, too.
enum class Freshness : uint8_t {
  kFresh,
  kStale,    // may be served, and whoever does so sees to it that it is fetched anew
  kIfError,  // may be served if the server can't be reached
  kExpired,
};

// How long the entry is fresh: its time to live, shortened by up to a tenth that depends on its
// key, so that what was stored together doesn't run out together. Never longer than the rule says.
Duration FreshFor(const Entry& entry, const Lifetimes& lifetimes);

Freshness Judge(const Entry& entry, const Lifetimes& lifetimes, TimePoint now);

}  // namespace pgweir::cache
