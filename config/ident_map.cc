#include "config/ident_map.h"

#include <algorithm>

#include "config/file.h"
#include "config/hba_tokens.h"

namespace pgweir::config {
namespace {

// The one plain name that a field must be; null with a fault otherwise.
const std::string* PlainName(const HbaField& field, Faults& faults) {
  const HbaToken& token = field.front();
  if (field.size() > 1) {
    faults.Add(field[1].at, "only one value may stand here");
  } else if (token.text.empty()) {
    faults.Add(token.at, "a name must not be empty");
  } else if (token.text[0] == '/') {
    faults.Add(token.at, "regular expressions are not supported: write a line for each name");
  } else if (!token.quoted && token.text[0] == '@') {
    faults.Add(token.at, "@FILE is not supported: write the names here");
  } else if (!token.quoted && token.text[0] == '+') {
    faults.Add(token.at,
               "groups are not supported, as pgweir does not know who is in them: write a line for "
               "each user");
  } else {
    return &token.text;
  }
  return nullptr;
}

}  // namespace

bool IdentMaps::Allows(std::string_view map, std::string_view system_user,
                       std::string_view user) const {
  if (map.empty()) return system_user == user;
  return std::any_of(lines_.begin(), lines_.end(), [&](const Line& line) {
    return line.map == map && line.system_user == system_user &&
           (line.any_user || line.user == user);
  });
}

bool IdentMaps::Has(std::string_view map) const {
  return std::any_of(lines_.begin(), lines_.end(),
                     [&](const Line& line) { return line.map == map; });
}

StatusOr<IdentMaps> LoadIdentMaps(const std::string& path) {
  const auto text = ReadFile(path, kMaxHbaFileBytes);
  if (text.ok()) return ParseIdentMaps(*text, path);
  return Errorf(sqlstate::kConfigFileError, "{}:1:1: {}", path, MessageOf(text.status()));
}

StatusOr<IdentMaps> ParseIdentMaps(std::string_view text, const std::string& path) {
  Faults faults(path);
  IdentMaps maps;
  for (const HbaRecord& record : ScanHbaRecords(text, faults)) {
    if (record.size() != 3) {
      faults.Add(record.front().front().at, "expected MAP SYSTEM-USER DATABASE-USER");
      continue;
    }
    const std::string* map = PlainName(record[0], faults);
    const std::string* system_user = PlainName(record[1], faults);
    const std::string* user = PlainName(record[2], faults);
    if (map == nullptr || system_user == nullptr || user == nullptr) continue;
    maps.lines_.push_back({*map, *system_user, *user, record[2].front().Is("all")});
  }
  const Status status = faults.ToStatus();
  if (!status.ok()) return status;
  return maps;
}

}  // namespace pgweir::config
