#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/faults.h"
#include "config/toml_document.h"

namespace pgweir::config {

template <typename E>
using Choices = std::span<const std::pair<std::string_view, E>>;

// Reads the keys of one table into values. What is wrong goes to the Faults with its place, and
// reads as if the key were absent; so does a table that is none. Asking for a key makes it known;
// whatever else is in the table is a fault of RejectUnknown(), called last.
class TableReader {
 public:
  // `value` and `faults` outlive the reader. `name` is the table's own, "" at the root.
  TableReader(const TomlValue& value, std::string name, Faults& faults);

  std::optional<bool> Bool(std::string_view key);
  std::optional<int> Int(std::string_view key, int min, int max);
  std::optional<std::string> Text(std::string_view key);
  std::optional<std::vector<std::string>> Texts(std::string_view key);
  // The elements of a list that may be of several types; none without the key. They live as long
  // as the reader's value.
  std::span<const TomlValue> List(std::string_view key);
  // Zero, where it may stand, is for the caller to understand.
  std::optional<std::chrono::milliseconds> Time(std::string_view key,
                                                std::chrono::milliseconds min = {});
  // In bytes.
  std::optional<uint64_t> Size(std::string_view key, uint64_t min);
  // From 0 to 1.
  std::optional<double> Share(std::string_view key);
  template <typename E>
  std::optional<E> Choice(std::string_view key, Choices<E> choices);

  // Without the key, a reader of an empty table.
  TableReader Table(std::string_view key);
  // A reader for each of a list of tables, [[key]]. What is no table is a fault and left out.
  std::vector<TableReader> Tables(std::string_view key);
  // A reader for each entry of a table whose keys are names of the DBA's choice. What is no table
  // is a fault and left out.
  std::vector<std::pair<std::string, TableReader>> NamedTables();

  // The entries of a table of strings whose keys are names of the DBA's choice; none without the
  // key. They live as long as the reader's value.
  std::span<const TomlEntry> NamedTexts(std::string_view key);

  // Accepts a key only with a value equal to `standard`, which stands for what can't be changed
  // yet; a table key by key.
  void NotServed(std::string_view key, const TomlValue& standard);
  void RejectUnknown();

  bool IsEmpty() const { return table_.empty(); }
  bool Has(std::string_view key) const { return FindEntry(table_, key) != nullptr; }
  // Of the key's value, else of the table.
  Position PositionOf(std::string_view key) const;
  // Faults at that position, about the key and about the table itself.
  void Fault(std::string_view key, std::string_view message);
  void Fault(std::string_view message);
  void FaultAt(Position at, std::string_view key, std::string_view message);
  // A reader of a value that is part of this table.
  TableReader Part(const TomlValue& value, std::string_view key);
  Faults& faults() { return *faults_; }

 private:
  // The key's value if it is there and a T, with a fault naming `expected` when it is not a T.
  template <typename T>
  const T* Find(std::string_view key, std::string_view expected);
  const TomlEntry* Find(std::string_view key);
  std::string NameOf(std::string_view key) const;
  std::string_view Nearest(std::string_view key) const;

  const TomlTable& table_;
  Position at_;
  std::string name_;
  Faults* faults_;
  std::vector<std::string> known_;
};

template <typename E>
std::optional<E> TableReader::Choice(std::string_view key, Choices<E> choices) {
  const TomlEntry* entry = Find(key);
  if (entry == nullptr) return std::nullopt;
  std::string expected;
  const auto* text = std::get_if<std::string>(&entry->value.value);
  for (const auto& [name, value] : choices) {
    if (text != nullptr && *text == name) return value;
    expected += fmt::format("{}\"{}\"", expected.empty() ? "" : ", ", name);
  }
  Fault(key, "must be one of " + expected);
  return std::nullopt;
}

}  // namespace pgweir::config
