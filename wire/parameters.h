#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The settings of a session, as its client wants them and as a server connection has them.

namespace pgweir::wire {

using Setting = std::pair<std::string, std::string>;

// A value: compare with ==.
class Parameters {
 public:
  // Records a ParameterStatus.
  void Report(std::string_view name, std::string_view value);
  // The reported value, or null. Names compare without case.
  const std::string* Find(std::string_view name) const;
  // How the server reads the texts of statements: '\' in '…' is itself
  // (standard_conforming_strings), and no byte of a longer character looks like ASCII
  // (client_encoding).
  bool standard_strings() const { return standard_strings_; }
  bool ascii_superset() const { return ascii_superset_; }
  bool utf8() const { return utf8_; }

  // Everything the server reported, in the order it did.
  const std::vector<Setting>& reported() const { return reported_; }

  // Settings that the server does not report, with `role` and `session_authorization` among them,
  // as the client has set them; in the order of their names.
  const std::vector<Setting>& unreported() const { return unreported_; }
  void set_unreported(std::vector<Setting> settings);
  const std::string* FindUnreported(std::string_view name) const;

  // The names that servers keep (LeavesItsName) among these as one number; 0 when there is none.
  uint64_t custom_settings() const { return custom_settings_; }

  // Everything that may change what PostgreSQL makes of a statement's text when it prepares it.
  std::string AnalysisKey() const;

  bool operator==(const Parameters&) const = default;

 private:
  std::vector<Setting> reported_;
  bool standard_strings_ = true;
  bool ascii_superset_ = true;
  bool utf8_ = false;
  std::vector<Setting> unreported_;
  uint64_t custom_settings_ = 0;
};

// Shared between threads, never changed once shared: whoever learns of a change makes a new one.
// Clients and backends with equal settings mostly hold the same object, so that the comparison on
// the query path is one of pointers.
using ParametersRef = std::shared_ptr<const Parameters>;

// Whether a server that has once been told of the setting keeps its name for good, so that another
// session would find it set, to nothing. Those of pgweir's own mean nothing there.
bool LeavesItsName(std::string_view name);

// Whether a client may set `name` and the server reports it.
bool IsReportedAndSettable(std::string_view name);

// The SQL that turns a server connection with settings `from` into one with settings `to`; "" when
// nothing that can be set differs.
std::string SettingsChange(const Parameters& from, const Parameters& to);

// The SQL that makes a connection with settings `from` as it was after its login.
std::string SettingsReset(const Parameters& from);

// The SQL that gives a fresh connection these settings.
std::string SettingsSql(const std::vector<Setting>& settings);

// 'value' as an SQL string literal that reads the same whatever standard_conforming_strings is.
std::string QuoteLiteral(std::string_view value);

// The parameters that servers report at login, in their order; libpq gives them by name only.
const std::vector<std::string_view>& ReportedNames();

}  // namespace pgweir::wire
