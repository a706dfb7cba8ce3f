#include "wire/parameters.h"

#include <algorithm>
#include <array>

#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/strings.h"

namespace pgweir::wire {
namespace {

constexpr std::array<std::string_view, 8> kSettable = {
    "application_name", "client_encoding", "DateStyle", "default_transaction_read_only",
    "IntervalStyle",    "search_path",     "TimeZone",  "standard_conforming_strings"};

// Settings that bound, plan, log or name, but never change what a text means.
constexpr std::array<std::string_view, 10> kMeaningless = {
    "application_name",   "statement_timeout",    "lock_timeout",
    "work_mem",           "maintenance_work_mem", "idle_in_transaction_session_timeout",
    "synchronous_commit", "extra_float_digits",   "client_min_messages",
    "temp_buffers"};

// Encodings for clients only, whose characters may have bytes below 128 (PostgreSQL documentation,
// "Character Set Support").
constexpr std::array<std::string_view, 7> kNoAsciiSupersets = {
    "BIG5", "GB18030", "GBK", "JOHAB", "SJIS", "SHIFT_JIS_2004", "UHC"};

constexpr std::string_view kRole = "role";
constexpr std::string_view kSessionAuthorization = "session_authorization";

bool SameName(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(ToAbsl(a), ToAbsl(b));
}

// Values are pasted into SQL as literals only. A list such as search_path, and whatever else is not
// known to be one plain value, goes through set_config(), which reads it as start-up options do.
void AppendSet(std::string& sql, std::string_view name, std::string_view value) {
  if (IsReportedAndSettable(name) && !SameName(name, "search_path")) {
    sql += "SET ";
    sql += name;
    sql += " TO ";
    sql += QuoteLiteral(value);
    sql += ';';
    return;
  }
  sql += "SELECT pg_catalog.set_config(";
  sql += QuoteLiteral(name);
  sql += ',';
  sql += QuoteLiteral(value);
  sql += ",false);";
}

// Who the session acts as is changed in an order of its own.
bool IsIdentity(std::string_view name) { return name == kRole || name == kSessionAuthorization; }

bool SameValue(const std::string* a, const std::string* b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

std::string QuoteIdentifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += c;
    out += c;
  }
  return out += '"';
}

template <size_t N>
bool IsAmong(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view known) { return SameName(known, name); });
}

}  // namespace

void Parameters::set_unreported(std::vector<Setting> settings) {
  for (auto& [name, value] : settings) absl::AsciiStrToLower(&name);
  // Of a name given twice the last one counts, as on a server.
  unreported_.clear();
  for (auto it = settings.rbegin(); it != settings.rend(); ++it) {
    if (FindUnreported(it->first) == nullptr) unreported_.push_back(std::move(*it));
  }
  std::sort(unreported_.begin(), unreported_.end());
  custom_settings_ = 0;
  for (const auto& [name, value] : unreported_) {
    if (!LeavesItsName(name)) continue;
    custom_settings_ = absl::HashOf(custom_settings_, ToAbsl(name)) | 1;
  }
}

bool LeavesItsName(std::string_view name) {
  constexpr std::string_view kOurs = "pgweir.";
  return name.find('.') != std::string_view::npos && !name.starts_with(kOurs);
}

const std::string* Parameters::FindUnreported(std::string_view name) const {
  for (const auto& [key, value] : unreported_) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string Parameters::AnalysisKey() const {
  std::string key;
  const auto add = [&](const Setting& setting) {
    if (IsAmong(kMeaningless, setting.first)) return;
    key += setting.first;
    key += '\0';
    key += setting.second;
    key += '\0';
  };
  for (const Setting& setting : reported_) {
    if (IsReportedAndSettable(setting.first)) add(setting);
  }
  for (const Setting& setting : unreported_) add(setting);
  return key;
}

void Parameters::Report(std::string_view name, std::string_view value) {
  if (SameName(name, "standard_conforming_strings")) standard_strings_ = value == "on";
  if (SameName(name, "client_encoding")) {
    ascii_superset_ = !IsAmong(kNoAsciiSupersets, value);
    utf8_ = value == "UTF8";
  }
  for (auto& [key, current] : reported_) {
    if (SameName(key, name)) {
      current = value;
      return;
    }
  }
  reported_.emplace_back(name, value);
}

const std::string* Parameters::Find(std::string_view name) const {
  for (const auto& [key, value] : reported_) {
    if (SameName(key, name)) return &value;
  }
  return nullptr;
}

bool IsReportedAndSettable(std::string_view name) { return IsAmong(kSettable, name); }

std::string SettingsChange(const Parameters& from, const Parameters& to) {
  std::string sql;
  const bool session_differs = !SameValue(from.FindUnreported(kSessionAuthorization),
                                          to.FindUnreported(kSessionAuthorization));
  const bool role_differs =
      session_differs || !SameValue(from.FindUnreported(kRole), to.FindUnreported(kRole));
  // Resetting the session's user resets the role as well.
  if (session_differs) {
    sql += "RESET SESSION AUTHORIZATION;";
  } else if (role_differs && from.FindUnreported(kRole) != nullptr) {
    sql += "RESET ROLE;";
  }
  for (const auto& [name, value] : from.unreported()) {
    if (IsIdentity(name) || to.FindUnreported(name) != nullptr) continue;
    sql += "RESET " + QuoteIdentifier(name) + ";";
  }
  for (const auto& [name, value] : to.unreported()) {
    if (IsIdentity(name)) continue;
    const std::string* current = from.FindUnreported(name);
    if (current == nullptr || *current != value) AppendSet(sql, name, value);
  }
  for (const auto& [name, value] : to.reported()) {
    if (!IsReportedAndSettable(name)) continue;
    const std::string* current = from.Find(name);
    if (current == nullptr || *current != value) AppendSet(sql, name, value);
  }
  for (const std::string_view name : {kSessionAuthorization, kRole}) {
    const std::string* value = to.FindUnreported(name);
    if (value != nullptr && (name == kRole ? role_differs : session_differs)) {
      AppendSet(sql, name, *value);
    }
  }
  return sql;
}

std::string SettingsReset(const Parameters& from) {
  const bool identity = from.FindUnreported(kRole) != nullptr ||
                        from.FindUnreported(kSessionAuthorization) != nullptr;
  return identity ? "RESET SESSION AUTHORIZATION;RESET ALL;" : "RESET ALL;";
}

std::string SettingsSql(const std::vector<Setting>& settings) {
  std::string sql;
  for (const auto& [name, value] : settings) AppendSet(sql, name, value);
  return sql;
}

std::string QuoteLiteral(std::string_view value) {
  const bool escapes = value.find('\\') != std::string_view::npos;
  std::string out = escapes ? "E'" : "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out += '\'';
}

const std::vector<std::string_view>& ReportedNames() {
  static const std::vector<std::string_view> names = {"application_name",
                                                      "client_encoding",
                                                      "DateStyle",
                                                      "default_transaction_read_only",
                                                      "in_hot_standby",
                                                      "integer_datetimes",
                                                      "IntervalStyle",
                                                      "is_superuser",
                                                      "scram_iterations",
                                                      "search_path",
                                                      "server_encoding",
                                                      "server_version",
                                                      "session_authorization",
                                                      "standard_conforming_strings",
                                                      "TimeZone"};
  return names;
}

}  // namespace pgweir::wire
