#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "router/query_shape.h"

// What a text of SQL says about itself, by PostgreSQL's own grammar and nothing else: no catalog is
// asked here. Immutable once made, shared between threads and between all texts that differ in
// their literals only.

namespace pgweir::router {

// What one statement may leave behind in its session when its transaction is over, or may need of
// it. A bit set where the grammar shows it, for every statement of the text together.
enum Effect : uint32_t {
  kNoEffect = 0,
  kSetsSetting = 1u << 0,      // SET, RESET x, set_config: Facts::settings says which
  kResetsAll = 1u << 1,        // RESET ALL, DISCARD ALL
  kListens = 1u << 2,          // LISTEN
  kTemporary = 1u << 3,        // creates a temporary object; names pg_temp
  kAdvisoryLock = 1u << 4,     // pg_advisory_lock and its kin that outlive the transaction
  kHoldCursor = 1u << 5,       // DECLARE … WITH HOLD
  kLoads = 1u << 6,            // LOAD
  kSequenceState = 1u << 7,    // currval, lastval: reads what an earlier nextval left
  kPrepares = 1u << 8,         // PREPARE name AS
  kExecutes = 1u << 9,         // EXECUTE name, EXPLAIN EXECUTE, CREATE TABLE AS EXECUTE
  kDeallocates = 1u << 10,     // DEALLOCATE name
  kDeallocatesAll = 1u << 11,  // DEALLOCATE ALL, DISCARD ALL
  kDiscardsAll = 1u << 12,     // DISCARD ALL
  // What may end one of those above: UNLISTEN, pg_advisory_unlock, CLOSE, DROP of what may be
  // temporary, DISCARD TEMP.
  kReleases = 1u << 13,
  kUnseen = 1u << 14,       // DO, CALL, or not understood: may do any of the above unseen
  kTransaction = 1u << 15,  // BEGIN, COMMIT, ROLLBACK, SAVEPOINT, PREPARE TRANSACTION …
  kCommits = 1u << 16,      // of these: COMMIT, END, PREPARE TRANSACTION, COMMIT PREPARED
  kDdl = 1u << 17,          // changes the catalog
  kWrites = 1u << 18,       // INSERT, UPDATE, DELETE, MERGE, COPY FROM, DDL …, in CTEs too
  kLocks = 1u << 19,        // FOR UPDATE and its kin, LOCK TABLE
  kCopies = 1u << 20,       // COPY from or to the client
};

enum class StatementKind : uint8_t {
  kEmpty,
  kSelect,  // also VALUES, TABLE
  kInsert,
  kUpdate,
  kDelete,
  kMerge,
  kCopy,
  kExplain,
  kShow,
  kSet,  // and RESET
  kTransaction,
  kPrepare,
  kExecute,
  kDeallocate,
  kDiscard,
  kCursor,  // DECLARE, FETCH, MOVE, CLOSE
  kListen,  // and UNLISTEN, NOTIFY
  kLock,
  kCall,  // and DO
  kDdl,
  kUtility,  // any other
  kUnknown,  // not understood
};

// "a"."b": schema is "" where none is written. Folded as the server folds identifiers.
struct QualifiedName {
  std::string schema;
  std::string name;
  bool operator==(const QualifiedName&) const = default;
};

// A setting that a statement sets or resets. Its name is an identifier of the text, or, in
// set_config, a literal of it.
struct SettingEffect {
  std::string name;        // lower case; "" when it is a literal, or can't be told (`unknown`)
  int name_literal = -1;   // index among the text's literals (SqlScan::literals)
  int name_parameter = 0;  // or a parameter: 1 for $1
  bool unknown = false;    // set_config with a computed name
  bool local = false;      // SET LOCAL, set_config(…, true): over at the transaction's end
  bool reset = false;      // RESET, SET … TO DEFAULT
};

// column OP literal or parameter, one of the AND-ed conditions of a relation's WHERE or ON. Whoever
// uses it looks up whether the relation has such a column: the grammar can't tell.
struct Condition {
  int relation =
      -1;  // index in StatementFacts::relations, -1 when unqualified and there are several
  std::string column;
  enum class Kind : uint8_t { kEqual, kIn } kind = Kind::kEqual;
  struct Operand {
    int literal = -1;    // index among the text's literals
    int parameter = -1;  // 1 for $1
  };
  std::vector<Operand> operands;
};

struct Relation {
  QualifiedName name;
  std::string alias;  // "" = none
  bool written = false;
};

// What an argument of a call shows of its type, by the grammar alone.
struct CallArgument {
  enum class Kind : uint8_t {
    kAny,      // nothing: a parameter, a number, what an operator gives …
    kUntyped,  // a string or NULL
    kType,     // a type of pg_catalog
    kColumn,
    kCall,
  };
  Kind kind = Kind::kAny;
  bool bare = false;   // the type's name has no schema, and may be another type's
  uint32_t index = 0;  // the type's OID; in StatementFacts::call_columns; in StatementFacts::calls
  bool operator==(const CallArgument&) const = default;
};

// A call, as far as it tells which overload of the function it means.
struct FunctionCall {
  uint32_t function = 0;  // in StatementFacts::functions
  int level = -1;         // in StatementFacts::levels: where its columns' names are looked up
  bool plain = true;      // its arguments are known here, and stand by their positions
  std::vector<CallArgument> arguments = {};
  bool operator==(const FunctionCall&) const = default;
};

// The names of columns that an expression sees: those of what stands in one FROM, or in a part of
// it, then those of the query around.
struct FromLevel {
  static constexpr size_t kMaxRelations = 64;  // of more none is here, but others are

  std::vector<uint32_t> relations = {};  // in StatementFacts::relations
  bool others = false;                   // there are columns of something else, too
  int around = -1;                       // in StatementFacts::levels
};

// What a statement on the schema, or on tables as wholes, names.
enum class Names : uint8_t {
  kRelations,  // those of its relations that it writes
  kIndexes,    // the same, but they are indexes
  kServer,     // what isn't the database's: databases, tablespaces, publications …
};

// One statement of the text.
struct StatementFacts {
  static constexpr size_t kMaxCalls = 64;
  static constexpr size_t kMaxArguments = 8;  // of a plain call

  StatementKind kind = StatementKind::kUnknown;
  uint32_t effects = kNoEffect;
  // Where it stands in the text the facts were made from.
  uint32_t offset = 0, length = 0;
  // The same as a range of tokens (SqlScan::tokens), which holds for every text with these facts.
  uint32_t first_token = 0, tokens = 0;
  std::vector<Relation> relations;       // tables and views, not CTE names
  std::vector<QualifiedName> functions;  // each once; operators are not among them
  // All calls of `functions`, each once, and behind those in its arguments. What is over a bound is
  // there as one call of its function that isn't plain.
  std::vector<FunctionCall> calls;
  std::vector<ColumnName> call_columns;
  std::vector<FromLevel> levels;
  std::vector<Condition> conditions;
  Names names = Names::kRelations;
  // Of the query that it is, explains, declares, prepares or copies; null when it is none.
  QueryShapeRef shape;
  std::string prepared_name;  // of PREPARE, EXECUTE, DEALLOCATE
  int name_token = -1;        // where that name stands, among the text's tokens; -1 = can't be told
  bool begins = false;        // BEGIN, START TRANSACTION
  // The same with READ ONLY, at a level that a standby has.
  bool begins_read_only = false;
  // What a BEGIN says of its level. READ UNCOMMITTED is READ COMMITTED to the server.
  enum class Isolation : uint8_t { kDefault, kReadCommitted, kHigher } isolation{};
  bool commits_prepared = false;  // COMMIT PREPARED
  bool asks_time = false;  // CURRENT_TIMESTAMP and its kin, which are no functions to the grammar
  bool samples = false;    // TABLESAMPLE
  // Of a PREPARE: what each EXECUTE of it does. Its relations and functions are the query's, too.
  uint32_t body_effects = kNoEffect;
};

struct Facts {
  // Why the text was not understood: a syntax error of this grammar, or over a bound. "" = it was.
  std::string not_understood;
  uint32_t effects = kNoEffect;  // of all statements
  std::vector<StatementFacts> statements;
  std::vector<SettingEffect> settings;  // of all statements, in order
  int parameters = 0;                   // the highest $n
  // Of a text that was not understood: the names in it, each of which may be a table's.
  std::vector<std::string> words;
  uint64_t digest = 0;  // of the text's DigestText
};
using FactsRef = std::shared_ptr<const Facts>;

}  // namespace pgweir::router
