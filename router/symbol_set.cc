#include "router/symbol_set.h"

#include <algorithm>
#include <utility>

namespace pgweir::router {
namespace {

// Whether `a` ends before `b`; no end is the last.
bool EndsBefore(const std::optional<std::string>& a, const std::optional<std::string>& b) {
  return a && (!b || *a < *b);
}

// The next symbol in the order of bytes.
std::string Successor(std::string_view symbol) {
  std::string next(symbol);
  next += '\0';
  return next;
}

}  // namespace

std::optional<std::string> BehindPrefix(std::string_view prefix) {
  std::string behind(prefix);
  while (!behind.empty() && static_cast<unsigned char>(behind.back()) == 0xff) behind.pop_back();
  if (behind.empty()) return std::nullopt;
  behind.back() = static_cast<char>(static_cast<unsigned char>(behind.back()) + 1);
  return behind;
}

SymbolSet SymbolSet::All() {
  SymbolSet set;
  set.ranges_.push_back({"", std::nullopt});
  return set;
}

SymbolSet SymbolSet::Only(std::string_view symbol) {
  SymbolSet set;
  set.ranges_.push_back({std::string(symbol), Successor(symbol)});
  return set;
}

SymbolSet SymbolSet::WithPrefix(std::string_view prefix) {
  SymbolSet set;
  set.ranges_.push_back({std::string(prefix), BehindPrefix(prefix)});
  return set;
}

SymbolSet SymbolSet::Between(std::optional<Bound> low, std::optional<Bound> high) {
  Range range;
  if (low) range.from = low->inclusive ? std::string(low->symbol) : Successor(low->symbol);
  if (high) range.to = high->inclusive ? Successor(high->symbol) : std::string(high->symbol);
  SymbolSet set;
  if (!range.to || range.from < *range.to) set.ranges_.push_back(std::move(range));
  return set;
}

void SymbolSet::Unite(const SymbolSet& other) {
  std::vector<Range> all = std::move(ranges_);
  all.insert(all.end(), other.ranges_.begin(), other.ranges_.end());
  std::sort(all.begin(), all.end(), [](const Range& a, const Range& b) { return a.from < b.from; });
  ranges_.clear();
  for (Range& range : all) {
    if (!ranges_.empty() && (!ranges_.back().to || range.from <= *ranges_.back().to)) {
      if (EndsBefore(ranges_.back().to, range.to)) ranges_.back().to = std::move(range.to);
    } else {
      ranges_.push_back(std::move(range));
    }
  }
}

void SymbolSet::Intersect(const SymbolSet& other) {
  std::vector<Range> both;
  size_t a = 0;
  size_t b = 0;
  while (a < ranges_.size() && b < other.ranges_.size()) {
    const Range& left = ranges_[a];
    const Range& right = other.ranges_[b];
    const bool left_ends_first = EndsBefore(left.to, right.to);
    Range range{std::max(left.from, right.from), left_ends_first ? left.to : right.to};
    if (!range.to || range.from < *range.to) both.push_back(std::move(range));
    ++(left_ends_first ? a : b);
  }
  ranges_ = std::move(both);
}

void SymbolSet::Complement() {
  std::vector<Range> others;
  std::optional<std::string> from = "";
  for (Range& range : ranges_) {
    if (*from < range.from) others.push_back({*from, range.from});
    from = std::move(range.to);
    if (!from) break;
  }
  if (from) others.push_back({std::move(*from), std::nullopt});
  ranges_ = std::move(others);
}

bool SymbolSet::Has(std::string_view symbol) const {
  return std::any_of(ranges_.begin(), ranges_.end(), [symbol](const Range& range) {
    return range.from <= symbol && (!range.to || symbol < *range.to);
  });
}

}  // namespace pgweir::router
