#include <re2/re2.h>

#include <array>

#include "config/not_served.h"
#include "config/sections.h"

namespace pgweir::config {
namespace {

constexpr uint64_t kLeastBytes = uint64_t{1} << 20;
constexpr uint64_t kLeastEntryBytes = uint64_t{1} << 10;
constexpr milliseconds kLeastTtl{1};

constexpr std::array<std::pair<std::string_view, CacheMode>, 3> kModes{
    {{"on", CacheMode::kOn}, {"shadow", CacheMode::kShadow}, {"off", CacheMode::kOff}}};

constexpr std::array<std::pair<std::string_view, CacheInTransactions>, 2> kInTransactions{
    {{"never", CacheInTransactions::kNever}, {"until_write", CacheInTransactions::kUntilWrite}}};

// NAME or SCHEMA.NAME, as the catalog has them.
bool IsTableName(std::string_view name) {
  const size_t point = name.find('.');
  if (point == std::string_view::npos) return true;
  return point != 0 && point + 1 != name.size() && name.find('.', point + 1) == name.npos;
}

void ReadTables(TableReader& reader, CacheRule& rule) {
  rule.tables = reader.Texts("tables").value_or(std::vector<std::string>());
  for (const std::string& name : rule.tables) {
    if (!IsTableName(name)) {
      reader.Fault("tables", fmt::format("{} must be the name of a table, or \"SCHEMA.TABLE\"",
                                         ShownKey(name)));
    }
  }
}

void ReadPattern(TableReader& reader, CacheRule& rule) {
  rule.pattern = reader.Text("pattern").value_or("");
  const RE2 expression(rule.pattern, RE2::Quiet);
  if (!expression.ok()) {
    reader.Fault("pattern", fmt::format("is no regular expression: {}", expression.error()));
  }
}

// What the rule is for: one of three.
void ReadScope(TableReader& reader, CacheRule& rule) {
  ReadTables(reader, rule);
  rule.digest = ReadDigest(reader, "digest");
  ReadPattern(reader, rule);
  const int given = reader.Has("tables") + reader.Has("digest") + reader.Has("pattern");
  if (given != 1) {
    reader.Fault("must have one of tables, digest and pattern");
  } else if (reader.Has("tables") && rule.tables.empty()) {
    reader.Fault("tables", "must have a table");
  } else if (reader.Has("pattern") && rule.pattern.empty()) {
    reader.Fault("pattern", "must not be empty");
  }
}

CacheRule ReadRule(TableReader& reader) {
  CacheRule rule;
  ReadScope(reader, rule);
  rule.mode = reader.Choice<CacheMode>("mode", kModes).value_or(rule.mode);
  rule.ttl = reader.Time("ttl", kLeastTtl).value_or(rule.ttl);
  rule.empty_ttl = reader.Time("empty_ttl");
  rule.stale_while_revalidate =
      reader.Time("stale_while_revalidate").value_or(rule.stale_while_revalidate);
  rule.stale_if_error = reader.Time("stale_if_error").value_or(rule.stale_if_error);
  rule.allow_stable = reader.Bool("allow_stable").value_or(rule.allow_stable);
  rule.key_settings = reader.Texts("key_settings").value_or(rule.key_settings);
  rule.verify = reader.Share("verify").value_or(rule.verify);
  rule.verify_disables = reader.Bool("verify_disables").value_or(rule.verify_disables);
  reader.RejectUnknown();
  return rule;
}

}  // namespace

void ReadCache(TableReader reader, Cache& cache) {
  cache.enabled = reader.Bool("enabled").value_or(cache.enabled);
  cache.max_bytes = reader.Size("max_bytes", kLeastBytes).value_or(cache.max_bytes);
  cache.max_entry_bytes =
      reader.Size("max_entry_bytes", kLeastEntryBytes).value_or(cache.max_entry_bytes);
  cache.in_transactions = reader.Choice<CacheInTransactions>("in_transactions", kInTransactions)
                              .value_or(cache.in_transactions);
  for (TableReader& rule : reader.Tables("rules")) cache.rules.push_back(ReadRule(rule));
  ReadNotServed("cache", reader);
  reader.RejectUnknown();
  if (cache.max_entry_bytes > cache.max_bytes) {
    reader.Fault("max_entry_bytes", "must be at most max_bytes");
  }
}

}  // namespace pgweir::config
