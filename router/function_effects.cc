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

// Sorted by name. set_config is not here: what it sets is a matter of its arguments. Unseen are
// those that run SQL given as text or as a relation's name, and those that leave a state with no
// bit of its own: of random(), of a backup, of a replication slot or origin.
constexpr std::array kKnown = std::to_array<Known>({
    {"currval", kSequenceState},
    {"cursor_to_xml", kUnseen},
    {"cursor_to_xmlschema", kUnseen},
    {"database_to_xml", kUnseen},
    {"database_to_xml_and_xmlschema", kUnseen},
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
    {"pg_advisory_unlock", kReleases},
    {"pg_advisory_unlock_all", kReleases},
    {"pg_advisory_unlock_shared", kReleases},
    {"pg_backup_start", kUnseen},
    {"pg_backup_stop", kUnseen},
    {"pg_copy_logical_replication_slot", kUnseen},
    {"pg_copy_physical_replication_slot", kUnseen},
    {"pg_create_logical_replication_slot", kUnseen},
    {"pg_create_physical_replication_slot", kUnseen},
    {"pg_replication_origin_session_reset", kUnseen},
    {"pg_replication_origin_session_setup", kUnseen},
    {"pg_start_backup", kUnseen},
    {"pg_stop_backup", kUnseen},
    {"pg_try_advisory_lock", kAdvisoryLock},
    {"pg_try_advisory_lock_shared", kAdvisoryLock},
    {"query_to_xml", kUnseen},
    {"query_to_xml_and_xmlschema", kUnseen},
    {"query_to_xmlschema", kUnseen},
    {"schema_to_xml", kUnseen},
    {"schema_to_xml_and_xmlschema", kUnseen},
    {"setseed", kUnseen},
    {"setval", kWrites},
    {"table_to_xml", kUnseen},
    {"table_to_xml_and_xmlschema", kUnseen},
    {"ts_rewrite", kUnseen},
    {"ts_stat", kUnseen},
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
