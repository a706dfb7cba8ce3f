#include "proxy/session_state.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/match.h"

namespace pgweir::proxy {
namespace {

// What keeps a session on its backend, and the condition that says whether it is there. Written so
// that no object of a user's search_path is met.
struct Object {
  const char* pin;
  std::string_view exists;
};
constexpr std::array<Object, 5> kObjects = {{
    {"LISTEN", "EXISTS (SELECT FROM pg_catalog.pg_listening_channels())"},
    {"temporary object",
     "EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace OPERATOR(pg_catalog.=) "
     "pg_catalog.pg_my_temp_schema())"},
    {"session advisory lock",
     "EXISTS (SELECT FROM pg_catalog.pg_locks WHERE pid OPERATOR(pg_catalog.=) "
     "pg_catalog.pg_backend_pid() AND locktype OPERATOR(pg_catalog.=) "
     "'advisory'::pg_catalog.text)"},
    {"WITH HOLD cursor", "EXISTS (SELECT FROM pg_catalog.pg_cursors WHERE is_holdable)"},
    {"PREPARE",
     "EXISTS (SELECT FROM pg_catalog.pg_prepared_statements WHERE from_sql AND NOT "
     "pg_catalog.starts_with(name, 'pgweir_'))"},
}};

}  // namespace

// --- prepared statements ---

const SessionState::Unnamed SessionState::none_;

const StatementRef* SessionState::Find(std::string_view name) const {
  const auto it = named_.find(name);
  return it == named_.end() ? nullptr : &it->second;
}

void SessionState::Add(std::string_view name, StatementRef statement) {
  named_.insert_or_assign(std::string(name), std::move(statement));
}

void SessionState::Remove(std::string_view name) {
  const auto it = named_.find(name);
  if (it != named_.end()) named_.erase(it);
}

void SessionState::RemoveAll() {
  named_.clear();
  DropUnnamed();
}

std::string_view SessionState::NameOf(uint64_t id) const {
  for (const auto& [name, statement] : named_) {
    if (statement->id == id) return name;
  }
  return "";
}

SessionState::Unnamed& SessionState::Replace(uint64_t number) {
  if (coming_.number != 0) std::swap(unnamed_, coming_);
  coming_.number = number;
  coming_.held = true;
  return coming_;
}

// A Parse that failed has dropped the older one too; one that was skipped has not.
void SessionState::Replaced(uint64_t number, bool done, bool skipped) {
  if (coming_.number != number) return;
  if (done) {
    std::swap(unnamed_, coming_);
  } else if (!skipped) {
    unnamed_.number = 0;
  }
  coming_.number = 0;
}

void SessionState::DropUnnamed() { unnamed_.number = coming_.number = 0; }

void SessionState::CloseUnnamed() { closing_ = unnamed().number; }

void SessionState::UnnamedClosed(uint64_t number, bool done) {
  if (number == 0) return;
  if (done && unnamed_.number == number) unnamed_.number = 0;
  if (done && coming_.number == number) coming_.number = 0;
  if (closing_ == number) closing_ = 0;
}

// --- what is to be asked ---

void SessionState::WasReset(const std::vector<std::string>& names, bool all) {
  std::vector<wire::Setting> given;
  const auto add = [&](const wire::Setting& setting) {
    const bool named = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return absl::EqualsIgnoreCase(name, setting.first);
    });
    if (all || named) given.push_back(setting);
  };
  for (const wire::Setting& setting : login_->reported()) {
    const std::string* usual = everybodys_->Find(setting.first);
    const bool given_at_login = usual == nullptr || *usual != setting.second;
    if (given_at_login && wire::IsReportedAndSettable(setting.first)) add(setting);
  }
  for (const wire::Setting& setting : login_->unreported()) add(setting);
  restoration_ += wire::SettingsSql(given);
}

std::string SessionState::TakeRestoration() { return std::exchange(restoration_, {}); }

void SessionState::TouchSetting(std::string name, bool reset) {
  for (Touched& touched : settings_touched_) {
    if (touched.name != name) continue;
    touched.reset &= reset;
    return;
  }
  settings_touched_.push_back({std::move(name), reset});
}

void SessionState::TouchAllSettings() { all_touched_ = true; }

std::string SessionState::Question(const wire::Parameters& had) {
  if (std::exchange(all_touched_, false)) {
    for (const auto& [name, value] : had.unreported()) TouchSetting(name, true);
  }
  asked_objects_ = std::exchange(objects_touched_, false);
  std::string sql = "SELECT ";
  for (const Touched& touched : settings_touched_) {
    sql += "pg_catalog.current_setting(" + wire::QuoteLiteral(touched.name) + ",true),";
  }
  if (asked_objects_) {
    for (const Object& object : kObjects) sql.append(object.exists).append(1, ',');
  }
  sql.back() = ' ';
  return sql;
}

std::vector<wire::Setting> SessionState::TakeAnswer(
    const wire::Parameters& had, const std::vector<std::optional<std::string>>& row) {
  std::vector<wire::Setting> settings = had.unreported();
  auto value = row.begin();
  for (Touched& touched : std::exchange(settings_touched_, {})) {
    const std::optional<std::string>& now = *value++;
    const std::string* before = had.FindUnreported(touched.name);
    // A RESET that was rolled back changed nothing.
    const bool as_before = before != nullptr && now.has_value() && *before == *now;
    if (as_before) continue;
    std::erase_if(settings, [&](const wire::Setting& s) { return s.first == touched.name; });
    const bool dotted = touched.name.find('.') != std::string::npos;
    const bool of_login = login_->FindUnreported(touched.name) != nullptr;
    if (touched.reset && !dotted && !of_login) continue;
    if (now.has_value()) settings.emplace_back(std::move(touched.name), *now);
  }
  if (std::exchange(asked_objects_, false) && !for_good_) {
    pin_ = nullptr;
    for (const Object& object : kObjects) {
      if (*value++ == "t" && pin_ == nullptr) pin_ = object.pin;
    }
  }
  return settings;
}

}  // namespace pgweir::proxy
