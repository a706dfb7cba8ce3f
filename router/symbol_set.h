#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::router {

// A set of symbols, as ranges in the order of their bytes: that is what equality, prefixes and
// comparisons under the collation "C" are made of.
class SymbolSet {
 public:
  struct Range {
    std::string from;               // included
    std::optional<std::string> to;  // not included; nothing = no end
    bool operator==(const Range&) const = default;
  };
  struct Bound {
    std::string_view symbol;
    bool inclusive = true;
  };

  static SymbolSet All();
  static SymbolSet Only(std::string_view symbol);
  static SymbolSet WithPrefix(std::string_view prefix);
  // Without a bound, open at that end.
  static SymbolSet Between(std::optional<Bound> low, std::optional<Bound> high);

  void Unite(const SymbolSet& other);
  void Intersect(const SymbolSet& other);
  void Complement();

  bool Has(std::string_view symbol) const;
  // Disjoint, not touching, in order.
  const std::vector<Range>& ranges() const { return ranges_; }
  bool operator==(const SymbolSet&) const = default;

 private:
  std::vector<Range> ranges_;
};

// The least symbol behind all that begin with the prefix; nothing when there is none.
std::optional<std::string> BehindPrefix(std::string_view prefix);

}  // namespace pgweir::router
