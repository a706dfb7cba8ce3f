#include "router/touched_symbols.h"

#include <algorithm>

namespace pgweir::router {
namespace {

// Beyond these it is cheaper to take the table as a whole.
constexpr size_t kMostSymbols = 16;

class Collector {
 public:
  Collector(const RouteTemplate& route, const BoundValues& values)
      : route_(route), values_(values) {}

  std::vector<TouchedSymbols> Collect() {
    std::vector<bool> bounded(route_.occurrences.size(), false);
    for (const RouteTemplate::Group& group : route_.groups) {
      const SymbolSet symbols = SymbolsOf(group);
      for (const uint32_t index : group) {
        bounded[index] = true;
        Add(route_.occurrences[index].table, symbols);
      }
    }
    for (size_t i = 0; i < bounded.size(); ++i) {
      if (!bounded[i]) Add(route_.occurrences[i].table, SymbolSet::All());
    }
    AddStored();
    for (TouchedSymbols& table : tables_) {
      std::sort(table.symbols.begin(), table.symbols.end());
      const auto repeated = std::unique(table.symbols.begin(), table.symbols.end());
      table.symbols.erase(repeated, table.symbols.end());
      table.any = table.any || table.symbols.size() > kMostSymbols;
    }
    return std::move(tables_);
  }

 private:
  SymbolSet SymbolsOf(const RouteTemplate::Group& group) const {
    SymbolSet symbols = SymbolSet::All();
    for (const uint32_t index : group) {
      const RouteTemplate::Occurrence& occurrence = route_.occurrences[index];
      for (const SymbolFilter& filter : occurrence.filters) {
        symbols.Intersect(Symbols(filter, occurrence.column, values_, route_.constants));
      }
    }
    return symbols;
  }

  void AddStored() {
    for (const RouteTemplate::Group& group : route_.stored_from) {
      Add(route_.stored_table, StoredAs(SymbolsOf(group)));
    }
    for (const ShapeValue& value : route_.stored) {
      const BoundValues::Text text = values_.TextOf(value, route_.constants);
      const bool known = text.state == BoundValues::Text::State::kKnown;
      Add(route_.stored_table, known ? StoredAs(text.text, route_.stored_in) : SymbolSet::All());
    }
  }

  void Add(const std::string& name, const SymbolSet& symbols) {
    auto table = std::find_if(tables_.begin(), tables_.end(),
                              [&](const TouchedSymbols& known) { return known.table == name; });
    if (table == tables_.end()) table = tables_.insert(table, TouchedSymbols{name, {}, false});
    table->any = table->any || !ListSymbols(symbols, kMostSymbols, table->symbols);
  }

  const RouteTemplate& route_;
  const BoundValues& values_;
  std::vector<TouchedSymbols> tables_;
};

}  // namespace

bool ListSymbols(const SymbolSet& set, size_t most, std::vector<std::string>& symbols) {
  if (set.ranges().size() > most) return false;
  for (const SymbolSet::Range& range : set.ranges()) {
    // The next in the order of bytes is the symbol with a zero byte behind it.
    const bool one = range.to.has_value() && range.to->size() == range.from.size() + 1 &&
                     range.to->back() == '\0' && range.to->starts_with(range.from);
    if (!one) return false;
    symbols.push_back(range.from);
  }
  return true;
}

std::vector<TouchedSymbols> SymbolsTouched(const RouteTemplate& route, const BoundValues& values) {
  if (route.fixed) return {};
  return Collector(route, values).Collect();
}

}  // namespace pgweir::router
