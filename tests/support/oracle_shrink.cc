// The shortest script that still shows a difference: without units, then without statements of
// what is left of them, then with fewer executions.

#include <algorithm>

#include "tests/support/oracle_runner.h"

namespace pgweir::test {
namespace {

class Shrinker {
 public:
  using Differs = std::function<bool(const OracleScript&)>;
  Shrinker(OracleScript script, const Differs& differs, std::chrono::seconds at_most)
      : script_(std::move(script)),
        differs_(differs),
        deadline_(std::chrono::steady_clock::now() + at_most) {}

  OracleScript Take() {
    for (size_t count = script_.size() / 2 + 1; count > 0; count /= 2) Units(count);
    for (size_t unit = 0; unit < script_.size(); ++unit) Steps(unit);
    for (size_t unit = 0; unit < script_.size(); ++unit) Executions(unit);
    return script_;
  }

 private:
  bool Try(OracleScript smaller) {
    if (std::chrono::steady_clock::now() > deadline_ || !differs_(smaller)) return false;
    script_ = std::move(smaller);
    return true;
  }

  void Units(size_t count) {
    for (size_t from = script_.size(); from > 0;) {
      from = from > count ? from - count : 0;
      OracleScript smaller = script_;
      const auto begin = smaller.begin() + static_cast<ptrdiff_t>(from);
      smaller.erase(begin, begin + static_cast<ptrdiff_t>(std::min(count, smaller.size() - from)));
      if (!smaller.empty()) Try(std::move(smaller));
      from = std::min(from, script_.size());
    }
  }

  // A transaction keeps its beginning and its end.
  void Steps(size_t unit) {
    for (size_t step = script_[unit].size(); step-- > 2;) {
      OracleScript smaller = script_;
      smaller[unit].erase(smaller[unit].begin() + static_cast<ptrdiff_t>(step) - 1);
      Try(std::move(smaller));
    }
  }

  void Executions(size_t unit) {
    for (size_t step = 0; step < script_[unit].size(); ++step) {
      for (size_t i = script_[unit][step].executions.size(); i-- > 0;) {
        if (script_[unit][step].executions.size() == 1) break;
        OracleScript smaller = script_;
        auto& executions = smaller[unit][step].executions;
        executions.erase(executions.begin() + static_cast<ptrdiff_t>(i));
        Try(std::move(smaller));
      }
    }
  }

  OracleScript script_;
  const Differs& differs_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace

OracleScript ShrinkOracle(OracleScript script,
                          const std::function<bool(const OracleScript&)>& differs,
                          std::chrono::seconds at_most) {
  return Shrinker(std::move(script), differs, at_most).Take();
}

}  // namespace pgweir::test
