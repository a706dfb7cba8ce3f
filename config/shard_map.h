#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

// The DBA's page: which node holds which symbols, and which tables are divided by them.

namespace pgweir::config {

// "BTC*" covers every symbol that begins so, "BTCUSDT" that one, "*" every symbol.
struct SymbolPattern {
  std::string text;     // without the star
  bool prefix = false;  // there was a star
  std::string node;
  bool operator==(const SymbolPattern&) const = default;
  // As the file has it.
  std::string Written() const { return prefix ? text + "*" : text; }
};

struct ListedTable {
  std::string schema;  // "" = of that name in every schema
  std::string name;
  std::string column;  // that holds the symbol; "" in a replicated table
  bool operator==(const ListedTable&) const = default;
};

struct ShardMap {
  std::string path;                     // of its file, absolute
  std::string text;                     // which the file had
  std::vector<SymbolPattern> patterns;  // in the file's order
  std::string default_node;             // of the pattern "*"
  std::vector<ListedTable> sharded;
  std::vector<ListedTable> replicated;
};

inline constexpr size_t kMaxShardMapBytes = 16 << 20;

// Reads a shards.toml whose nodes are those named. What is wrong with it refuses it whole; the
// error's message is a line "FILE:LINE:COLUMN: ..." for each fault.
StatusOr<ShardMap> LoadShardMap(const std::string& path, std::span<const std::string> nodes);
// As LoadShardMap, from text; `path` only names the file.
StatusOr<ShardMap> ParseShardMap(std::string_view text, const std::string& path,
                                 std::span<const std::string> nodes);

}  // namespace pgweir::config
