#include "config/shard_map.h"

#include <algorithm>
#include <optional>

#include "config/faults.h"
#include "config/file.h"
#include "config/toml_document.h"

namespace pgweir::config {
namespace {

class ShardMapReader {
 public:
  ShardMapReader(std::string_view text, const std::string& path, std::span<const std::string> nodes)
      : nodes_(nodes), faults_(path) {
    map_.path = path;
    map_.text = text;
  }

  StatusOr<ShardMap> Read(const TomlTable& root);

 private:
  void ReadShards(const TomlEntry& section);
  void ReadPattern(const TomlEntry& entry);
  void ReadTables(const TomlEntry& section);
  void ReadReplicated(const TomlEntry& section);
  std::optional<ListedTable> ReadName(Position at, std::string_view section, std::string_view name);
  void AddTable(Position at, std::string_view section, ListedTable table,
                std::vector<ListedTable>& tables);
  const TomlTable* TableOf(const TomlEntry& section);
  void Fault(Position at, std::string_view section, std::string_view key, std::string_view message);
  std::string Names() const { return fmt::format("{}", fmt::join(nodes_, ", ")); }

  std::span<const std::string> nodes_;
  Faults faults_;
  ShardMap map_;
};

// A table listed without a schema is every table of that name.
bool Overlap(const ListedTable& a, const ListedTable& b) {
  return a.name == b.name && (a.schema.empty() || b.schema.empty() || a.schema == b.schema);
}

StatusOr<ShardMap> ShardMapReader::Read(const TomlTable& root) {
  const TomlEntry* const shards = FindEntry(root, "shards");
  const TomlEntry* const tables = FindEntry(root, "tables");
  const TomlEntry* const replicated = FindEntry(root, "replicated");
  if (shards != nullptr) ReadShards(*shards);
  if (tables != nullptr) ReadTables(*tables);
  if (replicated != nullptr) ReadReplicated(*replicated);
  for (const TomlEntry& section : root) {
    if (&section == shards || &section == tables || &section == replicated) continue;
    faults_.Add(section.at, fmt::format("unknown key {}; there are shards, tables and replicated",
                                        ShownKey(section.key)));
  }
  const bool has_default =
      std::any_of(map_.patterns.begin(), map_.patterns.end(),
                  [](const SymbolPattern& p) { return p.prefix && p.text.empty(); });
  if (!has_default) {
    faults_.Add(shards != nullptr ? shards->at : Position(),
                "shards: must have the pattern \"*\", the node of all other symbols and of what "
                "is not listed");
  }
  const Status status = faults_.ToStatus();
  if (!status.ok()) return status;
  return std::move(map_);
}

const TomlTable* ShardMapReader::TableOf(const TomlEntry& section) {
  const auto* table = std::get_if<TomlTable>(&section.value.value);
  if (table == nullptr) {
    faults_.Add(section.value.at, fmt::format("{}: must be a table", section.key));
  }
  return table;
}

void ShardMapReader::Fault(Position at, std::string_view section, std::string_view key,
                           std::string_view message) {
  faults_.Add(at, fmt::format("{}.{}: {}", section, ShownKey(key), message));
}

void ShardMapReader::ReadShards(const TomlEntry& section) {
  const TomlTable* const table = TableOf(section);
  if (table == nullptr) return;
  std::vector<const TomlEntry*> entries;
  for (const TomlEntry& entry : *table) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const TomlEntry* a, const TomlEntry* b) { return a->at < b->at; });
  for (const TomlEntry* entry : entries) ReadPattern(*entry);
}

void ShardMapReader::ReadPattern(const TomlEntry& entry) {
  const std::string& pattern = entry.key;
  const size_t star = pattern.find('*');
  const bool prefix = star != std::string::npos;
  if (pattern.empty() || pattern.find('\0') != std::string::npos ||
      (prefix && star + 1 != pattern.size())) {
    return Fault(entry.at, "shards", pattern,
                 "must be a symbol, or the beginning of symbols with one star at its end");
  }
  const auto* node = std::get_if<std::string>(&entry.value.value);
  if (node == nullptr || std::find(nodes_.begin(), nodes_.end(), *node) == nodes_.end()) {
    return Fault(entry.value.at, "shards", pattern,
                 fmt::format("must be the name of a node of the database: {}", Names()));
  }
  if (pattern == "*") map_.default_node = *node;
  map_.patterns.push_back({prefix ? pattern.substr(0, star) : pattern, prefix, *node});
}

void ShardMapReader::ReadTables(const TomlEntry& section) {
  const TomlTable* const table = TableOf(section);
  if (table == nullptr) return;
  for (const TomlEntry& entry : *table) {
    const auto* column = std::get_if<std::string>(&entry.value.value);
    if (column == nullptr || column->empty()) {
      Fault(entry.value.at, "tables", entry.key,
            "must be the name of the column that holds the symbol; a name with a schema stands in "
            "quotes: \"app.trades\" = \"symbol\"");
      continue;
    }
    auto listed = ReadName(entry.at, "tables", entry.key);
    if (!listed) continue;
    listed->column = *column;
    AddTable(entry.at, "tables", std::move(*listed), map_.sharded);
  }
}

void ShardMapReader::ReadReplicated(const TomlEntry& section) {
  const TomlTable* const table = TableOf(section);
  if (table == nullptr) return;
  for (const TomlEntry& entry : *table) {
    const auto* list = std::get_if<TomlArray>(&entry.value.value);
    if (entry.key != "tables" || list == nullptr) {
      Fault(entry.at, "replicated", entry.key, "must be tables = [\"NAME\", …]");
      continue;
    }
    for (const TomlValue& value : *list) {
      const auto* name = std::get_if<std::string>(&value.value);
      auto listed = ReadName(value.at, "replicated", name ? *name : std::string_view());
      if (listed) AddTable(value.at, "replicated", std::move(*listed), map_.replicated);
    }
  }
}

// NAME or SCHEMA.NAME, as the catalog has them.
std::optional<ListedTable> ShardMapReader::ReadName(Position at, std::string_view section,
                                                    std::string_view name) {
  const size_t point = name.find('.');
  ListedTable table;
  if (point == std::string_view::npos) {
    table.name = name;
  } else {
    table.schema = name.substr(0, point);
    table.name = name.substr(point + 1);
  }
  const bool bad =
      table.name.empty() || (point != std::string_view::npos && table.schema.empty()) ||
      table.name.find('.') != std::string::npos || name.find('\0') != std::string_view::npos;
  if (!bad) return table;
  Fault(at, section, name, "must be the name of a table, or \"SCHEMA.TABLE\"");
  return std::nullopt;
}

void ShardMapReader::AddTable(Position at, std::string_view section, ListedTable table,
                              std::vector<ListedTable>& tables) {
  const auto repeats = [&](const std::vector<ListedTable>& others) {
    return std::any_of(others.begin(), others.end(),
                       [&](const ListedTable& other) { return Overlap(other, table); });
  };
  const std::string name =
      table.schema.empty() ? table.name : fmt::format("{}.{}", table.schema, table.name);
  if (repeats(tables)) return Fault(at, section, name, "is listed twice");
  if (repeats(map_.sharded) || repeats(map_.replicated)) {
    return Fault(at, section, name, "can't be both sharded and replicated");
  }
  tables.push_back(std::move(table));
}

}  // namespace

StatusOr<ShardMap> LoadShardMap(const std::string& path, std::span<const std::string> nodes) {
  const auto text = ReadFile(path, kMaxShardMapBytes);
  if (text.ok()) return ParseShardMap(*text, path, nodes);
  return Errorf(sqlstate::kConfigFileError, "{}:1:1: {}", path, MessageOf(text.status()));
}

StatusOr<ShardMap> ParseShardMap(std::string_view text, const std::string& path,
                                 std::span<const std::string> nodes) {
  const auto document = ParseToml(text, path);
  if (!document.ok()) return document.status();
  return ShardMapReader(text, path, nodes).Read(std::get<TomlTable>(document->value));
}

}  // namespace pgweir::config
