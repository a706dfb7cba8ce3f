#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pg_query/pg_query.pb-c.h"
#include "router/conditions.h"
#include "router/sql_scanner.h"
#include "router/statement_facts.h"

namespace pgweir::router {

// Walks a part of one statement's tree and gathers relations, functions, conditions, and what
// running that part would do.
class QueryWalk {
 public:
  // What is walked runs, or is only named (EXPLAIN, a view's definition): then nothing is written
  // and no function called.
  enum class Running : uint8_t { kYes, kNo };

  // `scan` is of the text whose normalised form the tree was made from. Adds to `facts`, but not to
  // its effects.
  QueryWalk(const SqlScan& scan, StatementFacts& facts, Running running)
      : scan_(scan), facts_(facts), running_(running == Running::kYes) {}

  // `message` is a SELECT, INSERT, UPDATE, DELETE or MERGE, or an expression, or any other message:
  // then its parts.
  void Walk(const ProtobufCMessage& message);
  void Walk(const PgQuery__Node* node);
  void AddRelation(const PgQuery__RangeVar& range, bool written);
  // Of a name written as a list, as DROP has them.
  void AddRelation(const std::vector<std::string_view>& parts, bool written);

  uint32_t effects() const { return effects_; }
  std::vector<SettingEffect>& settings() { return settings_; }

 private:
  class CteScope;

  // While it lives what is walked sees these names, and behind them those it saw before.
  class LevelScope {
   public:
    LevelScope(QueryWalk& walk, FromLevel level);
    ~LevelScope();
    LevelScope(const LevelScope&) = delete;
    LevelScope& operator=(const LevelScope&) = delete;

   private:
    QueryWalk& walk_;
    const int around_;
  };
  struct Level {
    FromLevel names;    // around is in levels_
    int in_facts = -1;  // once a call has needed it
  };

  void WalkNodes(PgQuery__Node* const* nodes, size_t count);
  void WalkParts(const ProtobufCMessage& message);
  void WalkSelect(const PgQuery__SelectStmt& select);
  void WalkInsert(const PgQuery__InsertStmt& insert);
  void WalkUpdate(const PgQuery__UpdateStmt& update);
  void WalkDelete(const PgQuery__DeleteStmt& remove);
  void WalkMerge(const PgQuery__MergeStmt& merge);
  void WalkInto(const PgQuery__IntoClause& into);
  void WalkWith(const PgQuery__WithClause& with);

  void WalkFrom(PgQuery__Node* const* items, size_t count, FromScope& scope);
  void WalkFromItem(const PgQuery__Node* item, bool nullable, FromScope& scope);
  void WalkJoin(const PgQuery__JoinExpr& join, bool nullable, FromScope& scope);
  void AddFromRelation(const PgQuery__RangeVar& range, bool nullable, FromScope& scope);
  void AddTarget(const PgQuery__RangeVar& range, FromScope& scope);
  void WalkWhere(const PgQuery__Node* where, const FromScope& scope);

  void WalkCall(const PgQuery__FuncCall& call);
  void AddSetConfig(const PgQuery__FuncCall& call);
  // Its index in the facts; -1 when it isn't called.
  int AddFunction(const std::vector<std::string_view>& parts);
  void AddCall(const PgQuery__FuncCall& call, int function);
  void AddDoubtfulCall(int function);
  // Its index in the facts.
  uint32_t KeepCall(FunctionCall call);
  CallArgument ArgumentOf(const PgQuery__Node* node);
  CallArgument ColumnArgument(const PgQuery__ColumnRef& column);
  int LevelInFacts(int level);
  static FromLevel LevelOf(const FromScope& scope, size_t first);

  void Does(uint32_t effects) {
    if (running_) effects_ |= effects;
  }
  bool IsCte(const PgQuery__RangeVar& range) const;

  const SqlScan& scan_;
  StatementFacts& facts_;
  const bool running_;
  uint32_t effects_ = kNoEffect;
  std::vector<SettingEffect> settings_;
  std::vector<std::string_view> ctes_;  // the names in scope
  // Conditions of inner joins that wait for their FROM to be known whole.
  std::vector<const PgQuery__Node*> join_conditions_;
  std::vector<Level> levels_;
  int level_ = -1;  // of what is being walked, in levels_
  std::unordered_map<const PgQuery__FuncCall*, uint32_t> calls_;  // in StatementFacts::calls
  int queries_ = 0;  // how many the one being walked is inside of, itself included
};

// The name that a dotted name's parts end in, with its schema.
QualifiedName LastTwo(const std::vector<std::string_view>& parts);

// Folded: pg_temp, and what the server calls a session's own.
bool IsTemporarySchema(std::string_view schema);

}  // namespace pgweir::router
