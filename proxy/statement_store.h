#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/mutex.h"
#include "proxy/numbered_statement.h"
#include "router/statement_facts.h"
#include "wire/protocol.h"

namespace pgweir::proxy {

// A statement to be prepared: what Parse says of it, but for its name. Never changed.
struct Statement {
  uint64_t id = 0;
  std::string server_name;  // pooler::PreparedStatements::NameOf(id)
  std::string text;
  std::string types;    // of its parameters, as Parse has them: a count and OIDs
  size_t analysis = 0;  // the hash of what else decides its meaning: StatementStore::Intern
  // Made by SQL's PREPARE: `text` is that command without the name, which belongs here. Else npos.
  size_t name_at = std::string::npos;
  router::FactsRef facts;
  NumberedStatementRef numbered;  // what servers have of it in its place; null = itself
  std::string deallocates;        // of its client: the statement that it ends; "" = none

  const std::string& on_servers() const { return numbered != nullptr ? numbered->text : text; }
  // It can't be prepared elsewhere: it stays on the one backend where its client made it, under the
  // client's own name. `id` is 0 then, and `text` may be "".
  bool stays() const { return id == 0; }
};
using StatementRef = std::shared_ptr<const Statement>;

// The prepared statements of the whole process: clients that prepare the same one share it, and so
// do the connections that serve them. Thread-safe.
class StatementStore {
 public:
  // `analysis` is what else decides its meaning (wire::Parameters::AnalysisKey).
  StatementRef Intern(std::string_view text, std::string_view types, std::string_view analysis,
                      router::FactsRef facts, size_t name_at = std::string::npos,
                      NumberedStatementRef numbered = nullptr) ABSL_LOCKS_EXCLUDED(mutex_);

  // Statement::analysis of it.
  static size_t HashOf(std::string_view analysis);

 private:
  // Beyond this, statements that no client has any more are forgotten.
  static constexpr size_t kMaxBytes = 32 * 1024 * 1024;
  void ForgetUnused() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  absl::flat_hash_map<std::string, StatementRef> statements_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t forget_at_ ABSL_GUARDED_BY(mutex_) = kMaxBytes;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace pgweir::proxy
