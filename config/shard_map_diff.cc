#include "config/shard_map_diff.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "config/faults.h"
#include "fmt/format.h"

namespace pgweir::config {
namespace {

constexpr size_t kMaxShown = 5;

class Patterns {
 public:
  explicit Patterns(const ShardMap& map) {
    for (const SymbolPattern& pattern : map.patterns) {
      nodes_.emplace(std::pair(pattern.prefix, std::string_view(pattern.text)), pattern.node);
    }
  }

  // Null when the map has no such pattern.
  const std::string_view* Find(bool prefix, std::string_view text) const {
    const auto found = nodes_.find({prefix, text});
    return found == nodes_.end() ? nullptr : &found->second;
  }

  // Where the symbols lie that the pattern stands for.
  std::string_view NodeOf(const SymbolPattern& pattern) const {
    const std::string_view* node = Find(pattern.prefix, pattern.text);
    for (size_t length = pattern.text.size(); node == nullptr && length > 0; --length) {
      node = Find(true, std::string_view(pattern.text).substr(0, length));
    }
    if (node == nullptr) node = Find(true, "");
    return node == nullptr ? std::string_view() : *node;
  }

 private:
  std::map<std::pair<bool, std::string_view>, std::string_view> nodes_;
};

}  // namespace

std::vector<PatternMove> PatternMoves(const ShardMap& before, const ShardMap& after) {
  const Patterns old_ones(before), new_ones(after);
  std::vector<PatternMove> moves;
  const auto compare = [&](const SymbolPattern& pattern) {
    const std::string_view from = old_ones.NodeOf(pattern);
    const std::string_view to = new_ones.NodeOf(pattern);
    if (from != to) moves.push_back({pattern.Written(), std::string(from), std::string(to)});
  };
  for (const SymbolPattern& pattern : after.patterns) compare(pattern);
  for (const SymbolPattern& pattern : before.patterns) {
    if (new_ones.Find(pattern.prefix, pattern.text) == nullptr) compare(pattern);
  }
  return moves;
}

std::string Describe(const std::vector<PatternMove>& moves) {
  std::vector<std::pair<std::string, std::vector<std::string>>> ways;  // in order
  for (const PatternMove& move : moves) {
    const std::string way = fmt::format("{} to {}", move.from, move.to);
    auto found = std::find_if(ways.begin(), ways.end(),
                              [&](const auto& known) { return known.first == way; });
    if (found == ways.end()) found = ways.insert(ways.end(), {way, {}});
    found->second.push_back(ShownKey(move.pattern));
  }
  std::string text = fmt::format("{} pattern{}", moves.size(), moves.size() == 1 ? "" : "s");
  const char* sign = ": ";
  for (auto& [way, patterns] : ways) {
    const size_t count = patterns.size();
    patterns.resize(std::min(count, kMaxShown));
    text += fmt::format("{}{} ({}{})", std::exchange(sign, ", "), way, fmt::join(patterns, ", "),
                        count > kMaxShown ? fmt::format(" and {} more", count - kMaxShown) : "");
  }
  return text;
}

}  // namespace pgweir::config
