#include "observe/hot_symbols.h"

#include <utility>
#include <vector>

namespace pgweir::observe {

void HotSymbols::Record(std::string_view node, std::string_view symbol, uint64_t rows,
                        uint64_t total_us) {
  if (!mutex_.TryLock()) {
    left_out_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  auto found = nodes_.find(node);
  if (found == nodes_.end() && nodes_.size() < kMaxNodes) {
    found = nodes_.emplace(std::string(node), std::make_unique<Node>(capacity_)).first;
  }
  if (found != nodes_.end()) {
    const uint64_t hash = HeavyHitters::HashOf(symbol);
    found->second->calls.Add(symbol, hash, 1);
    found->second->rows.Add(symbol, hash, rows);
    found->second->time.Add(symbol, hash, total_us);
  }
  mutex_.Unlock();
}

// Locked for one node at a time. Nodes never go.
void HotSymbols::MergeInto(std::map<std::string, NodeSymbols>& all) const {
  std::vector<std::pair<std::string, const Node*>> nodes;
  {
    const MutexLock lock(mutex_);
    for (const auto& [name, node] : nodes_) nodes.emplace_back(name, node.get());
  }
  for (const auto& [name, node] : nodes) {
    NodeSymbols mine;
    {
      const MutexLock lock(mutex_);
      mine = {node->calls.List(), node->rows.List(), node->time.List()};
    }
    NodeSymbols& sum = all[name];
    for (size_t i = 0; i < kSymbolLoads; ++i) sum[i] = Merge(sum[i], mine[i], capacity_);
  }
}

void HotSymbols::Reset() {
  const MutexLock lock(mutex_);
  for (const auto& [name, node] : nodes_) {
    node->calls.Clear();
    node->rows.Clear();
    node->time.Clear();
  }
}

}  // namespace pgweir::observe
