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
    found = nodes_.emplace(std::string(node), std::make_unique<HeavyHitters>(counters_)).first;
  }
  if (found != nodes_.end()) found->second->Add(symbol, {1, rows, total_us});
  mutex_.Unlock();
}

// Locked for one node at a time. Nodes never go.
void HotSymbols::MergeInto(std::map<std::string, NodeSymbols>& all) const {
  std::vector<std::pair<std::string, const HeavyHitters*>> nodes;
  {
    const MutexLock lock(mutex_);
    for (const auto& [name, node] : nodes_) nodes.emplace_back(name, node.get());
  }
  for (const auto& [name, node] : nodes) {
    NodeSymbols mine;
    {
      const MutexLock lock(mutex_);
      for (size_t load = 0; load < kSymbolLoads; ++load) mine[load] = node->List(load);
    }
    NodeSymbols& sum = all[name];
    for (size_t load = 0; load < kSymbolLoads; ++load) {
      sum[load] = Merge(sum[load], mine[load], counters_);
    }
  }
}

void HotSymbols::Reset() {
  const MutexLock lock(mutex_);
  for (const auto& [name, node] : nodes_) node->Clear();
}

}  // namespace pgweir::observe
