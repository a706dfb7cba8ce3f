#include "proxy/statement_store.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "base/strings.h"
#include "pooler/prepared_statements.h"

namespace pgweir::proxy {
namespace {

size_t SizeOf(const std::string& key, const Statement& statement) {
  return 2 * key.size() + statement.types.size() + sizeof statement;
}

}  // namespace

size_t StatementStore::HashOf(std::string_view analysis) { return absl::HashOf(ToAbsl(analysis)); }

StatementRef StatementStore::Intern(std::string_view text, std::string_view types,
                                    std::string_view analysis, router::FactsRef facts,
                                    size_t name_at, NumberedStatementRef numbered) {
  std::string key;
  key.reserve(text.size() + types.size() + analysis.size() + 1);
  // A text has no NUL in it, so that no two keys of different parts are equal.
  key.append(text).append(1, '\0').append(types).append(analysis);
  if (name_at != std::string::npos) key.append(1, '\0').append(std::to_string(name_at));
  if (numbered != nullptr) key.append(1, '\0').append(numbered->text);
  MutexLock lock(mutex_);
  if (const auto it = statements_.find(key); it != statements_.end()) return it->second;
  auto statement = std::make_shared<Statement>();
  statement->id = next_id_++;
  statement->server_name = pooler::PreparedStatements::NameOf(statement->id);
  statement->text = text;
  statement->types = types;
  statement->analysis = HashOf(analysis);
  statement->name_at = name_at;
  statement->facts = std::move(facts);
  statement->numbered = std::move(numbered);
  bytes_ += SizeOf(key, *statement);
  if (bytes_ > forget_at_) ForgetUnused();
  return statements_.emplace(std::move(key), std::move(statement)).first->second;
}

// Where clients hold most of it, the next look comes only after as much again.
void StatementStore::ForgetUnused() {
  for (auto it = statements_.begin(); it != statements_.end();) {
    const auto current = it++;
    if (current->second.use_count() > 1) continue;
    bytes_ -= SizeOf(current->first, *current->second);
    statements_.erase(current);
  }
  forget_at_ = std::max(kMaxBytes, 2 * bytes_);
}

}  // namespace pgweir::proxy
