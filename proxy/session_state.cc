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
     "EXISTS (SELECT FROM pg_catalog.pg_depend WHERE refclassid OPERATOR(pg_catalog.=) "
     "'pg_catalog.pg_namespace'::pg_catalog.regclass AND refobjid OPERATOR(pg_catalog.=) "
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

SessionState::Names SessionState::RemoveAll() { return std::exchange(named_, {}); }

void SessionState::GiveBack(Names names) {
  for (auto& [name, statement] : names) named_.try_emplace(name, std::move(statement));
}

std::string_view SessionState::NameOf(uint64_t id, size_t hash) const {
  std::string_view found;
  for (const auto& [name, statement] : named_) {
    if (statement->id != id) continue;
    if (HashOf(name) == hash) return name;
    found = name;
  }
  return found;
}

SessionState::Unnamed& SessionState::Replace(uint64_t number) {
  if (spare_ == nullptr) spare_ = std::make_unique<Unnamed>();
  Unnamed& coming = *coming_.emplace_back(std::move(spare_));
  coming.number = number;
  coming.held = true;
  return coming;
}

void SessionState::ReplaceByUnknown(uint64_t number) {
  Unnamed& coming = Replace(number);
  coming.held = false;
  coming.deallocates.clear();
  coming.facts = nullptr;
  coming.numbered = nullptr;
}

// A Parse that failed has dropped the older one too; one that was skipped has not.
void SessionState::Replaced(uint64_t number, bool done, bool skipped) {
  const auto it = std::find_if(coming_.begin(), coming_.end(),
                               [&](const auto& coming) { return coming->number == number; });
  if (it == coming_.end()) return;
  if (done) {
    std::swap(unnamed_, *it);
  } else if (!skipped && unnamed_ != nullptr) {
    unnamed_->number = 0;
  }
  spare_ = std::move(*it);
  if (spare_ != nullptr) spare_->number = 0;
  coming_.erase(it);
}

void SessionState::DropUnnamed() {
  if (unnamed_ != nullptr) unnamed_->number = 0;
  coming_.clear();
}

void SessionState::KeepUnnamed(uint64_t number, std::string_view text, std::string_view types,
                               router::FactsRef facts) {
  coming_.clear();
  if (unnamed_ == nullptr) unnamed_ = std::make_unique<Unnamed>();
  unnamed_->number = number;
  unnamed_->held = true;
  unnamed_->text.assign(text);
  unnamed_->types.assign(types);
  unnamed_->deallocates.clear();
  unnamed_->facts = std::move(facts);
  unnamed_->numbered = nullptr;
}

void SessionState::CloseUnnamed() { closing_ = unnamed().number; }

void SessionState::UnnamedClosed(uint64_t number, bool done) {
  if (number == 0) return;
  if (done && Present().number == number) unnamed_->number = 0;
  if (closing_ == number) closing_ = 0;
}

// --- what is to be asked ---

wire::ParametersRef SessionState::AfterResets(const wire::ParametersRef& now) {
  const bool all = std::exchange(all_reset_, false);
  std::vector<std::string> names;
  if (changes_ != nullptr) names.swap(changes_->resets);
  if (!all && names.empty()) return now;
  const auto was_reset = [&](const std::string& name) {
    return all || std::any_of(names.begin(), names.end(), [&](const std::string& reset) {
             return absl::EqualsIgnoreCase(reset, name);
           });
  };
  auto restored = std::make_shared<wire::Parameters>(*now);
  // What has the value that everybody's login has was reset, and that was not rolled back.
  for (const auto& [name, value] : login_->reported()) {
    const std::string* usual = everybodys_->Find(name);
    const std::string* current = now->Find(name);
    if (!wire::IsReportedAndSettable(name) || !was_reset(name) || usual == nullptr) continue;
    if (current != nullptr && *current == *usual) restored->Report(name, value);
  }
  std::vector<wire::Setting> unreported = now->unreported();
  for (const wire::Setting& setting : login_->unreported()) {
    if (was_reset(setting.first) && now->FindUnreported(setting.first) == nullptr) {
      unreported.push_back(setting);
    }
  }
  restored->set_unreported(std::move(unreported));
  if (*restored == *now) return now;
  return restored;
}

void SessionState::TouchSetting(std::string name, bool reset) {
  for (Touched& touched : changes().touched) {
    if (touched.name != name) continue;
    touched.reset = reset;
    return;
  }
  changes().touched.push_back({std::move(name), reset});
}

void SessionState::TouchAllSettings() { all_touched_ = true; }

std::string SessionState::Question(const wire::Parameters& had) {
  if (std::exchange(all_touched_, false)) {
    all_reset_ = true;
    for (const auto& [name, value] : had.unreported()) TouchSetting(name, true);
  }
  asked_objects_ = std::exchange(objects_touched_, false);
  std::string sql = "SELECT ";
  for (const Touched& touched : changes().touched) {
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
  for (Touched& touched : std::exchange(changes().touched, {})) {
    if (touched.reset) NoteReset(touched.name);
    const std::optional<std::string>& now = *value++;
    const std::string* before = had.FindUnreported(touched.name);
    // A RESET that was rolled back changed nothing.
    const bool as_before = before != nullptr && now.has_value() && *before == *now;
    if (as_before) continue;
    std::erase_if(settings, [&](const wire::Setting& s) { return s.first == touched.name; });
    if (touched.reset && !wire::LeavesItsName(touched.name)) continue;
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
