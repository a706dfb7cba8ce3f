#include "router/name_scope.h"

#include <algorithm>

namespace pgweir::router {
namespace {

bool IsNamed(const NameScope::Item& item, const ColumnName& name) {
  if (!item.alias.empty()) return name.schema.empty() && item.alias == name.relation;
  return item.name == name.relation &&
         (name.schema.empty() || item.schema.empty() || item.schema == name.schema);
}

}  // namespace

const ScopeColumn* NameScope::Item::Column(std::string_view column) const {
  const ScopeColumn* found = nullptr;
  for (const ScopeColumn& candidate : columns) {
    if (candidate.name != column) continue;
    if (found != nullptr) return nullptr;
    found = &candidate;
  }
  return found;
}

int NameScope::ItemWith(std::string_view column, Range range) const {
  const auto one = merged.find(std::string(column));
  if (one != merged.end()) {
    if (one->second < 0) return -1;
    const auto index = static_cast<size_t>(one->second);
    if (index >= range.begin && index < range.end) return one->second;
  }
  int found = -1;
  for (size_t i = range.begin; i < std::min(range.end, items.size()); ++i) {
    if (!items[i].known) return -1;
    if (items[i].Column(column) == nullptr) continue;
    if (found >= 0) return -1;
    found = static_cast<int>(i);
  }
  return found;
}

const ScopeColumn* NameScope::Find(const ColumnName& name, Range range) const {
  if (opaque) return nullptr;
  range.end = std::min(range.end, items.size());
  if (!name.relation.empty()) return FindQualified(name, range);
  if (natural) return nullptr;
  const auto one = merged.find(name.column);
  if (one != merged.end()) {
    if (one->second < 0) return nullptr;
    const auto index = static_cast<size_t>(one->second);
    if (index >= range.begin && index < range.end) return items[index].Column(name.column);
  }
  const ScopeColumn* found = nullptr;
  for (size_t i = range.begin; i < range.end; ++i) {
    const Item& item = items[i];
    if (!item.known) return nullptr;
    const auto count =
        std::count_if(item.columns.begin(), item.columns.end(),
                      [&](const auto& column) { return column.name == name.column; });
    if (count == 0) continue;
    if (count > 1 || found != nullptr) return nullptr;
    found = item.Column(name.column);
  }
  if (found != nullptr) return found;
  return parent ? parent->Find(name) : nullptr;
}

const ScopeColumn* NameScope::FindQualified(const ColumnName& name, Range range) const {
  const Item* found = nullptr;
  for (size_t i = range.begin; i < range.end; ++i) {
    if (!IsNamed(items[i], name)) continue;
    if (found != nullptr) return nullptr;
    found = &items[i];
  }
  if (found == nullptr) return parent ? parent->Find(name) : nullptr;
  return found->Column(name.column);
}

}  // namespace pgweir::router
