#pragma once

#include <string_view>
#include <vector>

#include "config/ini_value.h"

// The keys of a pgbouncer.ini that are read and have no effect here. What has one is in
// pgbouncer_general.cc and pgbouncer_databases.cc.

namespace pgweir::config {

enum class KeyFate {
  kServed,
  kAsItWorks,  // whatever the value, pgweir already does it
  kNoMeaning,  // another value than the standard is a warning
  kRefused,    // another value than the standard is a fault: to leave it out would be unsafe
};

struct UnservedKey {
  std::string_view section;  // "pgbouncer", "databases", "users" or "peers"
  std::string_view name;
  KeyFate fate;
  // What PgBouncer does without the key, several with '|' between: nothing is said about these.
  std::string_view standard;
  std::string_view reason;
};

// Null for a key that has an effect or is unknown.
const UnservedKey* FindUnservedKey(std::string_view section, std::string_view name);
std::vector<const UnservedKey*> UnservedKeys();

// Says what becomes of the value, if there is anything to say.
void ReportUnserved(const UnservedKey& key, const IniValue& value);

}  // namespace pgweir::config
