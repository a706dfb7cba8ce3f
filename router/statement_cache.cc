#include "router/statement_cache.h"

#include <memory>

#include "router/analysis.h"

namespace pgweir::router {
namespace {

// Longer texts are scanned each time rather than copied and compared.
constexpr size_t kMaxRepeat = 4096;
// An entry may take so much of the whole.
constexpr size_t kMaxShare = 8;
// What kept entries leave for those on trial, of four.
constexpr size_t kKeptQuarters = 3;

size_t BytesOf(const std::string& text) {
  // A short string lies within its object.
  return text.capacity() > 15 ? text.capacity() + 1 : 0;
}

size_t BytesOf(const QualifiedName& name) { return BytesOf(name.schema) + BytesOf(name.name); }

size_t BytesOf(const StatementFacts& statement) {
  size_t bytes = BytesOf(statement.prepared_name);
  bytes += statement.relations.capacity() * sizeof(Relation);
  for (const Relation& relation : statement.relations) {
    bytes += BytesOf(relation.name) + BytesOf(relation.alias);
  }
  bytes += statement.functions.capacity() * sizeof(QualifiedName);
  for (const QualifiedName& function : statement.functions) bytes += BytesOf(function);
  bytes += statement.calls.capacity() * sizeof(FunctionCall);
  for (const FunctionCall& call : statement.calls) {
    bytes += call.arguments.capacity() * sizeof(CallArgument);
  }
  bytes += statement.call_columns.capacity() * sizeof(ColumnName);
  for (const ColumnName& name : statement.call_columns) {
    bytes += BytesOf(name.schema) + BytesOf(name.relation) + BytesOf(name.column);
  }
  bytes += statement.levels.capacity() * sizeof(FromLevel);
  for (const FromLevel& level : statement.levels) {
    bytes += level.relations.capacity() * sizeof(uint32_t);
  }
  bytes += statement.conditions.capacity() * sizeof(Condition);
  for (const Condition& condition : statement.conditions) {
    bytes += BytesOf(condition.column);
    bytes += condition.operands.capacity() * sizeof(Condition::Operand);
  }
  if (statement.shape) bytes += BytesOf(*statement.shape);
  return bytes;
}

size_t BytesOf(const Facts& facts) {
  size_t bytes = sizeof(Facts) + BytesOf(facts.not_understood);
  bytes += facts.statements.capacity() * sizeof(StatementFacts);
  for (const StatementFacts& statement : facts.statements) bytes += BytesOf(statement);
  bytes += facts.words.capacity() * sizeof(std::string);
  for (const std::string& word : facts.words) bytes += BytesOf(word);
  bytes += facts.settings.capacity() * sizeof(SettingEffect);
  for (const SettingEffect& setting : facts.settings) bytes += BytesOf(setting.name);
  return bytes;
}

}  // namespace

FactsRef StatementCache::Find(std::string_view sql, bool standard_strings) {
  if (IsLast(sql, standard_strings)) {
    ++counters_.repeats;
    return last_;
  }
  scan_.Scan(sql, standard_strings);
  FactsRef facts = FindScanned(sql);
  last_ = nullptr;
  if (sql.size() <= kMaxRepeat) {
    last_sql_.assign(sql);
    last_standard_strings_ = standard_strings;
    last_ = facts;
  }
  return facts;
}

FactsRef StatementCache::FindScanned(std::string_view sql) {
  if (!scan_.complete()) {
    ++counters_.misses;
    return std::make_shared<const Facts>(Analyse(sql, scan_));
  }
  const uint64_t hash = scan_.digest();
  if (FactsRef found = Lookup(hash, scan_.normalised())) return found;
  ++counters_.misses;
  const auto facts = std::make_shared<const Facts>(Analyse(sql, scan_));
  Store(hash, scan_.normalised(), facts);
  return facts;
}

FactsRef StatementCache::Lookup(uint64_t hash, std::string_view key) {
  const auto found = index_.find(hash);
  if (found == index_.end() || found->second->key != key) return nullptr;
  const auto entry = found->second;
  MakeRecent(entry);
  ++counters_.hits;
  return entry->facts;
}

void StatementCache::Store(uint64_t hash, std::string_view key, const FactsRef& facts) {
  // Of two texts with one hash the first is stored.
  if (index_.contains(hash)) return;
  Entry entry{std::string(key), hash, 0, false, facts};
  // Beside the entry itself: the list's links, the shared count, the slot in the index.
  constexpr size_t kAround = 2 * sizeof(void*) + 16 + 32;
  entry.bytes = sizeof(Entry) + kAround + BytesOf(entry.key) + BytesOf(*facts);
  if (entry.bytes > max_bytes_ / kMaxShare) return;
  trial_.bytes += entry.bytes;
  trial_.entries.push_front(std::move(entry));
  index_.emplace(hash, trial_.entries.begin());
  Shrink();
}

// What outgrows the kept part is on trial again.
void StatementCache::MakeRecent(std::list<Entry>::iterator entry) {
  Move(entry, true);
  while (kept_.bytes > max_bytes_ / 4 * kKeptQuarters && kept_.entries.size() > 1) {
    Move(std::prev(kept_.entries.end()), false);
  }
}

void StatementCache::Move(std::list<Entry>::iterator entry, bool to_kept) {
  Part& from = entry->kept ? kept_ : trial_;
  Part& to = to_kept ? kept_ : trial_;
  to.entries.splice(to.entries.begin(), from.entries, entry);
  from.bytes -= entry->bytes;
  to.bytes += entry->bytes;
  entry->kept = to_kept;
}

void StatementCache::Shrink() {
  while (bytes() > max_bytes_ && !trial_.entries.empty()) {
    const Entry& oldest = trial_.entries.back();
    trial_.bytes -= oldest.bytes;
    index_.erase(oldest.hash);
    trial_.entries.pop_back();
    ++counters_.evictions;
  }
}

}  // namespace pgweir::router
