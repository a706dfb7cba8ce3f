#include "query-cache/tallies.h"

namespace pgweir::cache {

Tally& Tallies::Of(std::string_view name) {
  const MutexLock lock(mutex_);
  auto found = tallies_.find(name);
  if (found == tallies_.end() && tallies_.size() >= kMost) {
    name = kOthers;
    found = tallies_.find(name);
  }
  if (found == tallies_.end()) {
    found = tallies_.emplace(std::string(name), std::make_unique<Tally>()).first;
  }
  return *found->second;
}

std::vector<Tallies::Listed> Tallies::List() const {
  const MutexLock lock(mutex_);
  std::vector<Listed> listed;
  for (const auto& [name, tally] : tallies_) listed.push_back({name, tally.get()});
  return listed;
}

}  // namespace pgweir::cache
