#include "config/table_reader.h"

#include <algorithm>
#include <cmath>

#include "config/duration.h"
#include "config/size.h"

namespace pgweir::config {
namespace {

const TomlTable& TableOf(const TomlValue& value) {
  static const TomlTable empty;
  const auto* table = std::get_if<TomlTable>(&value.value);
  return table != nullptr ? *table : empty;
}

std::string_view KindOf(const TomlValue& value) {
  constexpr std::string_view kKinds[] = {"a table",        "a list",   "a string",
                                         "a whole number", "a number", "true or false",
                                         "a date or time"};
  return kKinds[value.value.index()];
}

// As values, not as spelt: 0 is 0.0.
bool AreEqual(const TomlValue& a, const TomlValue& b) {
  const auto* integer = std::get_if<int64_t>(&a.value);
  const auto* real = std::get_if<double>(&b.value);
  if (integer != nullptr && real != nullptr) {
    return std::abs(static_cast<double>(*integer) - *real) == 0.0;
  }
  if (a.value.index() != b.value.index()) return false;
  if (const auto* list = std::get_if<TomlArray>(&a.value)) {
    const auto& other = std::get<TomlArray>(b.value);
    return std::equal(list->begin(), list->end(), other.begin(), other.end(), AreEqual);
  }
  if (const auto* text = std::get_if<std::string>(&a.value)) {
    return *text == std::get<std::string>(b.value);
  }
  if (integer != nullptr) return *integer == std::get<int64_t>(b.value);
  if (const auto* number = std::get_if<double>(&a.value)) return *number == *real;
  if (const auto* truth = std::get_if<bool>(&a.value)) return *truth == std::get<bool>(b.value);
  return false;
}

// Whether `value` has a type that a key with this standard value takes.
bool HasTypeOf(const TomlValue& value, const TomlValue& standard) {
  return value.value.index() == standard.value.index() ||
         (std::holds_alternative<int64_t>(value.value) &&
          std::holds_alternative<double>(standard.value));
}

}  // namespace

TableReader::TableReader(const TomlValue& value, std::string name, Faults& faults)
    : table_(TableOf(value)), at_(value.at), name_(std::move(name)), faults_(&faults) {
  if (!std::holds_alternative<TomlTable>(value.value)) Fault("must be a table");
}

std::string TableReader::NameOf(std::string_view key) const {
  return name_.empty() ? ShownKey(key) : fmt::format("{}.{}", name_, ShownKey(key));
}

Position TableReader::PositionOf(std::string_view key) const {
  const TomlEntry* entry = FindEntry(table_, key);
  return entry != nullptr ? entry->value.at : at_;
}

void TableReader::Fault(std::string_view key, std::string_view message) {
  faults_->Add(PositionOf(key), fmt::format("{}: {}", NameOf(key), message));
}

void TableReader::FaultAt(Position at, std::string_view key, std::string_view message) {
  faults_->Add(at, fmt::format("{}: {}", NameOf(key), message));
}

TableReader TableReader::Part(const TomlValue& value, std::string_view key) {
  return TableReader(value, NameOf(key), *faults_);
}

void TableReader::Fault(std::string_view message) {
  faults_->Add(at_, fmt::format("{}: {}", name_, message));
}

const TomlEntry* TableReader::Find(std::string_view key) {
  known_.emplace_back(key);
  faults_->NoteAskedFor(NameOf(key));
  return FindEntry(table_, key);
}

template <typename T>
const T* TableReader::Find(std::string_view key, std::string_view expected) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return nullptr;
  const T* found = std::get_if<T>(&entry->value.value);
  if (found == nullptr) Fault(key, fmt::format("must be {}", expected));
  return found;
}

std::optional<bool> TableReader::Bool(std::string_view key) {
  const bool* found = Find<bool>(key, "true or false");
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

std::optional<int> TableReader::Int(std::string_view key, int min, int max) {
  const std::string expected = fmt::format("a whole number from {} to {}", min, max);
  const auto* found = Find<int64_t>(key, expected);
  if (found == nullptr) return std::nullopt;
  if (*found >= min && *found <= max) return static_cast<int>(*found);
  Fault(key, "must be " + expected);
  return std::nullopt;
}

std::optional<std::string> TableReader::Text(std::string_view key) {
  const auto* found = Find<std::string>(key, "a string");
  if (found == nullptr) return std::nullopt;
  if (found->find('\0') == std::string::npos) return *found;
  Fault(key, "must not contain the character U+0000");
  return std::nullopt;
}

std::optional<std::vector<std::string>> TableReader::Texts(std::string_view key) {
  constexpr std::string_view kExpected = "a list of strings, none of them empty";
  const auto* list = Find<TomlArray>(key, kExpected);
  if (list == nullptr) return std::nullopt;
  std::vector<std::string> texts;
  for (const TomlValue& value : *list) {
    const auto* text = std::get_if<std::string>(&value.value);
    if (text == nullptr || text->empty() || text->find('\0') != std::string::npos) {
      faults_->Add(value.at, fmt::format("{}: must be {}", NameOf(key), kExpected));
      return std::nullopt;
    }
    texts.push_back(*text);
  }
  return texts;
}

std::span<const TomlValue> TableReader::List(std::string_view key) {
  const auto* list = Find<TomlArray>(key, "a list");
  return list != nullptr ? std::span<const TomlValue>(*list) : std::span<const TomlValue>();
}

std::optional<std::chrono::milliseconds> TableReader::Time(std::string_view key,
                                                           std::chrono::milliseconds min) {
  constexpr std::string_view kExpected =
      "a duration such as \"30s\" (a whole number and ms, s, m, h or d) of at most 365d";
  const auto* text = Find<std::string>(key, kExpected);
  if (text == nullptr) return std::nullopt;
  const auto time = ParseDuration(*text);
  if (!time.has_value()) {
    Fault(key, fmt::format("must be {}", kExpected));
  } else if (*time < min) {
    Fault(key, fmt::format("must be at least \"{}ms\"", min.count()));
  } else {
    return time;
  }
  return std::nullopt;
}

std::optional<uint64_t> TableReader::Size(std::string_view key, uint64_t min) {
  constexpr std::string_view kExpected =
      "a size such as \"64MiB\" (a whole number and B, KiB, MiB, GiB or TiB) of at most 1TiB";
  const auto* text = Find<std::string>(key, kExpected);
  if (text == nullptr) return std::nullopt;
  const auto size = ParseSize(*text);
  if (!size.has_value()) {
    Fault(key, fmt::format("must be {}", kExpected));
  } else if (*size < min) {
    Fault(key, fmt::format("must be at least \"{}KiB\"", min / 1024));
  } else {
    return size;
  }
  return std::nullopt;
}

std::optional<double> TableReader::Share(std::string_view key) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return std::nullopt;
  double share = -1;
  if (const auto* real = std::get_if<double>(&entry->value.value)) share = *real;
  if (const auto* whole = std::get_if<int64_t>(&entry->value.value)) {
    share = static_cast<double>(*whole);
  }
  if (share >= 0 && share <= 1) return share;
  Fault(key, "must be a number from 0.0 to 1.0");
  return std::nullopt;
}

TableReader TableReader::Table(std::string_view key) {
  static const TomlValue absent{{}, {}, TomlTable{}};
  known_.emplace_back(key);
  const TomlEntry* entry = FindEntry(table_, key);
  TableReader reader(entry != nullptr ? entry->value : absent, NameOf(key), *faults_);
  if (entry == nullptr) reader.at_ = at_;
  return reader;
}

std::vector<TableReader> TableReader::Tables(std::string_view key) {
  std::vector<TableReader> readers;
  known_.emplace_back(key);
  const TomlEntry* entry = FindEntry(table_, key);
  if (entry == nullptr) return readers;
  const auto* list = std::get_if<TomlArray>(&entry->value.value);
  if (list == nullptr) {
    Fault(key, "must be a list of tables");
    return readers;
  }
  for (const TomlValue& value : *list) {
    TableReader reader = Part(value, key);
    if (std::holds_alternative<TomlTable>(value.value)) readers.push_back(std::move(reader));
  }
  return readers;
}

std::vector<std::pair<std::string, TableReader>> TableReader::NamedTables() {
  std::vector<std::pair<std::string, TableReader>> tables;
  for (const TomlEntry& entry : table_) {
    if (entry.key.empty() || entry.key.find('\0') != std::string::npos) {
      faults_->Add(entry.at, fmt::format("{}: a name must not be empty or contain the character "
                                         "U+0000",
                                         name_));
      continue;
    }
    TableReader reader(entry.value, NameOf(entry.key), *faults_);
    if (std::holds_alternative<TomlTable>(entry.value.value)) {
      tables.emplace_back(entry.key, std::move(reader));
    }
  }
  return tables;
}

std::span<const TomlEntry> TableReader::NamedTexts(std::string_view key) {
  constexpr std::string_view kExpected = "a table of names, each with a string that isn't empty";
  const auto* table = Find<TomlTable>(key, kExpected);
  if (table == nullptr) return {};
  for (const TomlEntry& entry : *table) {
    const auto* text = std::get_if<std::string>(&entry.value.value);
    const bool sound = text != nullptr && !text->empty() && !entry.key.empty() &&
                       text->find('\0') == std::string::npos &&
                       entry.key.find('\0') == std::string::npos;
    if (sound) continue;
    FaultAt(entry.value.at, key, fmt::format("must be {}", kExpected));
    return {};
  }
  return *table;
}

void TableReader::NotServed(std::string_view key, const TomlValue& standard) {
  if (const auto* standards = std::get_if<TomlTable>(&standard.value)) {
    TableReader inner = Table(key);
    for (const TomlEntry& entry : *standards) inner.NotServed(entry.key, entry.value);
    inner.RejectUnknown();
    return;
  }
  const TomlEntry* entry = Find(key);
  if (entry == nullptr || AreEqual(entry->value, standard)) return;
  if (!HasTypeOf(entry->value, standard)) {
    return Fault(key, fmt::format("must be {}", KindOf(standard)));
  }
  faults_->Add(entry->value.at,
               fmt::format("key {} is not served by this version; leave it out", NameOf(key)));
}

// The known key that was probably meant, or "".
std::string_view TableReader::Nearest(std::string_view key) const {
  constexpr size_t kLongestKey = 64;
  if (key.size() > kLongestKey) return "";
  std::string_view nearest;
  size_t least = key.size() / 2 + 1;
  for (const std::string& known : known_) {
    const size_t distance = EditDistance(key, known);
    if (distance >= least) continue;
    least = distance;
    nearest = known;
  }
  return nearest;
}

void TableReader::RejectUnknown() {
  for (const TomlEntry& entry : table_) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    const std::string_view nearest = Nearest(entry.key);
    const std::string hint =
        nearest.empty() ? "" : fmt::format("; did you mean {}?", NameOf(nearest));
    faults_->Add(entry.at, fmt::format("unknown key {}{}", NameOf(entry.key), hint));
  }
}

}  // namespace pgweir::config
