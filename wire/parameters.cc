#include "wire/parameters.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "base/strings.h"

namespace pgweir::wire {
namespace {

constexpr std::array<std::string_view, 8> kSettable = {
    "application_name", "client_encoding", "DateStyle", "default_transaction_read_only",
    "IntervalStyle",    "search_path",     "TimeZone",  "standard_conforming_strings"};

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

}  // namespace

void Parameters::Report(std::string_view name, std::string_view value) {
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

bool IsReportedAndSettable(std::string_view name) {
  return std::any_of(kSettable.begin(), kSettable.end(),
                     [&](std::string_view known) { return SameName(known, name); });
}

std::string SettingsChange(const Parameters& from, const Parameters& to) {
  std::string sql;
  const bool reset = from.unreported() != to.unreported();
  if (reset) {
    sql = "RESET ALL;";
    sql += SettingsSql(to.unreported());
  }
  for (const auto& [name, value] : to.reported()) {
    if (!IsReportedAndSettable(name)) continue;
    const std::string* current = from.Find(name);
    if (reset || current == nullptr || *current != value) AppendSet(sql, name, value);
  }
  return sql;
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
