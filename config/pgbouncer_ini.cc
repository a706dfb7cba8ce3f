#include "config/pgbouncer_ini.h"

#include <algorithm>

#include "config/pgbouncer_sections.h"

namespace pgweir::config {
namespace {

std::string_view Trimmed(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t begin = std::min(line.find_first_not_of(kBlanks), line.size());
  line.remove_prefix(begin);
  return line.substr(0, line.find_last_not_of(kBlanks) + 1);
}

bool IsKnownSection(std::string_view name) {
  return name == "pgbouncer" || name == "databases" || name == "users" || name == "peers";
}

std::string UnknownKey(const std::string& key) {
  std::string_view nearest;
  size_t least = key.size() / 2 + 1;
  for (const PgBouncerKey& known : PgBouncerKeys()) {
    if (known.section != "pgbouncer") continue;
    const size_t distance = EditDistance(key, known.name);
    if (distance >= least) continue;
    least = distance;
    nearest = known.name;
  }
  return fmt::format("unknown key {}{}", ShownKey(key),
                     nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest));
}

void ReadGeneral(const IniDocument& document, GeneralSettings& settings, IniReport& report) {
  bool begun = false;
  for (const IniEntry& entry : document.entries) {
    if (entry.begins_section() && !IsKnownSection(entry.section)) {
      report.Fault(entry.key_at, fmt::format("unknown section [{}]", ShownKey(entry.section)));
    }
    if (entry.section != "pgbouncer") continue;
    if (entry.begins_section()) {
      if (begun) {
        report.Warn(entry.key_at,
                    "a second [pgbouncer] section: as in PgBouncer, every key begins again at its "
                    "default");
        settings = GeneralSettings();
      }
      begun = true;
      continue;
    }
    const IniValue value(entry.key, entry.value, entry.value_at, report);
    if (ReadGeneralKey(entry.key, value, settings)) continue;
    const UnservedKey* unserved = FindUnservedKey(entry.section, entry.key);
    if (unserved == nullptr) {
      report.Fault(entry.key_at, UnknownKey(entry.key));
    } else {
      ReportUnserved(*unserved, value);
    }
  }
  if (!begun) report.Fault({}, "there is no section [pgbouncer]");
}

void ReadOtherSections(const IniDocument& document, GeneralSettings& settings, IniReport& report) {
  for (const IniEntry& entry : document.entries) {
    if (entry.begins_section()) continue;
    if (entry.section == "databases") ReadDatabaseLine(entry, settings, report);
    if (entry.section == "users") ReadUserLine(entry, settings, report);
    if (entry.section == "peers") ReadPeerLine(entry, settings, report);
  }
  if (settings.config.databases.empty()) {
    report.Warn({}, "[databases] is empty: nobody can connect to anything");
  }
}

}  // namespace

// A section [pgbouncer] is none of ours, and %include is no TOML. Without either it is no
// configuration for PgBouncer.
bool IsPgBouncerIni(std::string_view text) {
  constexpr std::string_view kSection = "[pgbouncer]";
  constexpr std::string_view kInclude = "%include";
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trimmed(text.substr(0, end));
    if (line.substr(0, kSection.size()) == kSection) return true;
    if (line.substr(0, kInclude.size()) == kInclude) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

StatusOr<Config> ParsePgBouncerIni(std::string_view text, const std::string& path,
                                   const ReadIncluded& read) {
  const IniDocument document = ParseIni(text, path, read);
  IniReport report(document);
  GeneralSettings settings;
  ReadGeneral(document, settings, report);
  CheckGeneral(settings, report);
  ReadOtherSections(document, settings, report);
  const Status status = report.ToStatus();
  if (!status.ok()) return status;
  settings.config.warnings = report.warnings();
  return std::move(settings.config);
}

std::vector<PgBouncerKey> PgBouncerKeys() {
  std::vector<PgBouncerKey> keys;
  const auto add = [&keys](std::string_view section, const std::vector<std::string_view>& names) {
    for (const std::string_view name : names) keys.push_back({section, name, KeyFate::kServed});
  };
  add("pgbouncer", ServedGeneralKeys());
  add("databases", ServedDatabaseKeys());
  add("users", ServedUserKeys());
  add("peers", ServedPeerKeys());
  for (const UnservedKey* key : UnservedKeys())
    keys.push_back({key->section, key->name, key->fate});
  return keys;
}

}  // namespace pgweir::config
