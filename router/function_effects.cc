#include "router/function_effects.h"

#include <algorithm>
#include <array>

#include "router/statement_facts.h"

namespace pgweir::router {
namespace {

struct Known {
  std::string_view name;
  uint32_t effects;
};

// Sorted by name. set_config is not here: what it sets is a matter of its arguments.
constexpr std::array kKnown = std::to_array<Known>({
    {"currval", kSequenceState},
    {"lastval", kSequenceState},
    {"lo_create", kWrites},
    {"lo_from_bytea", kWrites},
    {"lo_import", kWrites},
    {"lo_put", kWrites},
    {"lo_truncate", kWrites},
    {"lo_truncate64", kWrites},
    {"lo_unlink", kWrites},
    {"lowrite", kWrites},
    {"nextval", kWrites},
    {"pg_advisory_lock", kAdvisoryLock},
    {"pg_advisory_lock_shared", kAdvisoryLock},
    {"pg_advisory_unlock", kAdvisoryLock},
    {"pg_advisory_unlock_all", kAdvisoryLock},
    {"pg_advisory_unlock_shared", kAdvisoryLock},
    {"pg_try_advisory_lock", kAdvisoryLock},
    {"pg_try_advisory_lock_shared", kAdvisoryLock},
    // The state of random() is the session's.
    {"setseed", kUnseen},
    {"setval", kWrites},
});
static_assert(std::is_sorted(kKnown.begin(), kKnown.end(),
                             [](const Known& a, const Known& b) { return a.name < b.name; }));

}  // namespace

uint32_t BuiltInEffects(std::string_view name) {
  const auto* const found =
      std::lower_bound(kKnown.begin(), kKnown.end(), name,
                       [](const Known& known, std::string_view key) { return known.name < key; });
  return found != kKnown.end() && found->name == name ? found->effects : kNoEffect;
}

}  // namespace pgweir::router
