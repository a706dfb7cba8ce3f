#include "router/statement_walk.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "router/query_walk.h"
#include "router/setting_effects.h"
#include "router/shape_builder.h"
#include "router/tree_walk.h"

namespace pgweir::router {
namespace {

using Running = QueryWalk::Running;

// PostgreSQL's CURSOR_OPT_HOLD.
constexpr int kCursorHold = 0x20;

// The EXECUTE that a query is, or that CREATE TABLE AS has for one.
const PgQuery__ExecuteStmt* ExecuteOf(const PgQuery__Node* query) {
  if (const auto* create =
          As<PgQuery__CreateTableAsStmt>(query, pg_query__create_table_as_stmt__descriptor)) {
    query = create->query;
  }
  return As<PgQuery__ExecuteStmt>(query, pg_query__execute_stmt__descriptor);
}

// What WalkObjects adds to the relations of a statement.
Names NamesOf(const PgQuery__Node& node) {
  switch (node.node_case) {
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
      return node.alter_table_stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX
                 ? Names::kIndexes
                 : Names::kRelations;
    case PG_QUERY__NODE__NODE_RENAME_STMT:
      return node.rename_stmt->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX
                 ? Names::kIndexes
                 : Names::kRelations;
    case PG_QUERY__NODE__NODE_REINDEX_STMT:
      return node.reindex_stmt->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX
                 ? Names::kIndexes
                 : Names::kRelations;
    case PG_QUERY__NODE__NODE_CREATEDB_STMT:
    case PG_QUERY__NODE__NODE_DROPDB_STMT:
    case PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT:
    case PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT:
    case PG_QUERY__NODE__NODE_ALTER_SYSTEM_STMT:
    case PG_QUERY__NODE__NODE_CREATE_TABLE_SPACE_STMT:
    case PG_QUERY__NODE__NODE_DROP_TABLE_SPACE_STMT:
    case PG_QUERY__NODE__NODE_CREATE_PUBLICATION_STMT:
    case PG_QUERY__NODE__NODE_ALTER_PUBLICATION_STMT:
    case PG_QUERY__NODE__NODE_CREATE_SUBSCRIPTION_STMT:
    case PG_QUERY__NODE__NODE_ALTER_SUBSCRIPTION_STMT:
    case PG_QUERY__NODE__NODE_DROP_SUBSCRIPTION_STMT:
      return Names::kServer;
    default:
      return Names::kRelations;
  }
}

class StatementWalk {
 public:
  StatementWalk(const SqlScan& scan, StatementFacts& facts, std::vector<SettingEffect>& settings)
      : scan_(scan), facts_(facts), settings_(settings) {}

  void Walk(const PgQuery__Node& statement);

 private:
  void Is(StatementKind kind, uint32_t effects = kNoEffect) {
    facts_.kind = kind;
    facts_.effects |= effects;
  }
  void WalkQuery(StatementKind kind, const PgQuery__Node& statement);
  void WalkExplain(const PgQuery__ExplainStmt& explain);
  void WalkCopy(const PgQuery__CopyStmt& copy);
  void WalkTransaction(const PgQuery__TransactionStmt& transaction);
  void WalkPrepare(const PgQuery__PrepareStmt& prepare);
  void WalkExecute(const PgQuery__ExecuteStmt& execute);
  void WalkDeallocate(const PgQuery__DeallocateStmt& deallocate);
  void WalkDiscard(const PgQuery__DiscardStmt& discard);
  void WalkDeclare(const PgQuery__DeclareCursorStmt& declare);
  void WalkCreateTableAs(const PgQuery__CreateTableAsStmt& create);
  void WalkDrop(const PgQuery__DropStmt& drop);
  void WalkCall(const PgQuery__CallStmt& call);
  void WalkObjects(StatementKind kind, uint32_t effects, const PgQuery__Node& statement,
                   Running running);

  void Shape(const PgQuery__Node* query) { facts_.shape = ShapeBuilder(scan_).Build(query); }
  void Run(const PgQuery__Node* query);
  void Take(QueryWalk& walk);

  const SqlScan& scan_;
  StatementFacts& facts_;
  std::vector<SettingEffect>& settings_;
};

void StatementWalk::Walk(const PgQuery__Node& node) {
  switch (node.node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      return WalkQuery(StatementKind::kSelect, node);
    case PG_QUERY__NODE__NODE_INSERT_STMT:
      return WalkQuery(StatementKind::kInsert, node);
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
      return WalkQuery(StatementKind::kUpdate, node);
    case PG_QUERY__NODE__NODE_DELETE_STMT:
      return WalkQuery(StatementKind::kDelete, node);
    case PG_QUERY__NODE__NODE_MERGE_STMT:
      return WalkQuery(StatementKind::kMerge, node);
    case PG_QUERY__NODE__NODE_COPY_STMT:
      return WalkCopy(*node.copy_stmt);
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
      return WalkExplain(*node.explain_stmt);
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
      return Is(StatementKind::kShow);
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
      return Is(StatementKind::kSet, WalkSet(*node.variable_set_stmt, settings_));
    case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
      return WalkTransaction(*node.transaction_stmt);
    case PG_QUERY__NODE__NODE_PREPARE_STMT:
      return WalkPrepare(*node.prepare_stmt);
    case PG_QUERY__NODE__NODE_EXECUTE_STMT:
      Is(StatementKind::kExecute);
      return WalkExecute(*node.execute_stmt);
    case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
      return WalkDeallocate(*node.deallocate_stmt);
    case PG_QUERY__NODE__NODE_DISCARD_STMT:
      return WalkDiscard(*node.discard_stmt);
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
      return WalkDeclare(*node.declare_cursor_stmt);
    case PG_QUERY__NODE__NODE_FETCH_STMT:
      return Is(StatementKind::kCursor);
    case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
      return Is(StatementKind::kCursor, kReleases);
    case PG_QUERY__NODE__NODE_LISTEN_STMT:
      return Is(StatementKind::kListen, kListens);
    case PG_QUERY__NODE__NODE_UNLISTEN_STMT:
      return Is(StatementKind::kListen, kReleases);
    case PG_QUERY__NODE__NODE_NOTIFY_STMT:
      return Is(StatementKind::kListen);
    case PG_QUERY__NODE__NODE_LOCK_STMT:
      return WalkObjects(StatementKind::kLock, kLocks, node, Running::kNo);
    case PG_QUERY__NODE__NODE_CALL_STMT:
      return WalkCall(*node.call_stmt);
    case PG_QUERY__NODE__NODE_DO_STMT:
      return Is(StatementKind::kCall, kUnseen | kWrites);
    case PG_QUERY__NODE__NODE_LOAD_STMT:
      return Is(StatementKind::kUtility, kLoads);
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT:
      return Is(StatementKind::kUtility);
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT:
    case PG_QUERY__NODE__NODE_VACUUM_STMT:
    case PG_QUERY__NODE__NODE_CLUSTER_STMT:
    case PG_QUERY__NODE__NODE_REINDEX_STMT:
    case PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT:
    case PG_QUERY__NODE__NODE_CHECK_POINT_STMT:
      return WalkObjects(StatementKind::kUtility, kWrites, node, Running::kNo);
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
      return WalkCreateTableAs(*node.create_table_as_stmt);
    case PG_QUERY__NODE__NODE_DROP_STMT:
      return WalkDrop(*node.drop_stmt);
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
    case PG_QUERY__NODE__NODE_INDEX_STMT:
      // A new column's default, a new type's USING and an index's expressions are computed at once.
      return WalkObjects(StatementKind::kDdl, kDdl | kWrites, node, Running::kYes);
    default:
      return WalkObjects(StatementKind::kDdl, kDdl | kWrites, node, Running::kNo);
  }
}

void StatementWalk::WalkQuery(StatementKind kind, const PgQuery__Node& statement) {
  Is(kind);
  Shape(&statement);
  Run(&statement);
}

// EXPLAIN runs nothing, EXPLAIN ANALYZE everything. What a literal says (ANALYZE 'off') can't be
// known here, so it counts as on.
void StatementWalk::WalkExplain(const PgQuery__ExplainStmt& explain) {
  bool analyse = false;
  for (size_t i = 0; i < explain.n_options; ++i) {
    const auto* option = As<PgQuery__DefElem>(explain.options[i], pg_query__def_elem__descriptor);
    if (option == nullptr || std::string_view(option->defname) != "analyze") continue;
    const std::string_view value = TextOf(option->arg);
    analyse = analyse || (value != "off" && value != "false");
  }
  const PgQuery__Node* const query = explain.query;
  Shape(query);
  if (query && analyse) {
    Walk(*query);
  } else if (const PgQuery__ExecuteStmt* const execute = ExecuteOf(query)) {
    WalkExecute(*execute);
  } else {
    QueryWalk walk(scan_, facts_, Running::kNo);
    walk.Walk(query);
  }
  Is(StatementKind::kExplain);
}

void StatementWalk::WalkCopy(const PgQuery__CopyStmt& copy) {
  const bool client = copy.filename[0] == '\0' && !copy.is_program;
  Is(StatementKind::kCopy, (client ? kCopies : kNoEffect) | (copy.is_from ? kWrites : kNoEffect));
  QueryWalk walk(scan_, facts_, Running::kYes);
  if (copy.relation) walk.AddRelation(*copy.relation, copy.is_from);
  Shape(copy.query);
  walk.Walk(copy.query);
  walk.Walk(copy.where_clause);
  Take(walk);
}

// What a BEGIN says.
struct Modes {
  StatementFacts::Isolation isolation = StatementFacts::Isolation::kDefault;
  bool read_only = false;
  bool serializable = false;
  bool understood = true;
};

// The last one of each option counts.
Modes ModesOf(const PgQuery__TransactionStmt& transaction) {
  Modes modes;
  for (size_t i = 0; i < transaction.n_options; ++i) {
    const auto* option =
        As<PgQuery__DefElem>(transaction.options[i], pg_query__def_elem__descriptor);
    const auto* value = option == nullptr || option->arg == nullptr
                            ? nullptr
                            : As<PgQuery__AConst>(option->arg, pg_query__a__const__descriptor);
    if (value == nullptr) {
      modes.understood = false;
      continue;
    }
    const std::string_view name = option->defname;
    if (name == "transaction_read_only") {
      modes.read_only = value->val_case == PG_QUERY__A__CONST__VAL_IVAL && value->ival->ival != 0;
    } else if (name == "transaction_isolation") {
      const std::string_view level = value->val_case == PG_QUERY__A__CONST__VAL_SVAL
                                         ? std::string_view(value->sval->sval)
                                         : "serializable";
      modes.serializable = level == "serializable";
      modes.isolation = level.starts_with("read ") ? StatementFacts::Isolation::kReadCommitted
                                                   : StatementFacts::Isolation::kHigher;
    }
  }
  return modes;
}

void StatementWalk::WalkTransaction(const PgQuery__TransactionStmt& transaction) {
  const auto kind = transaction.kind;
  const bool commits = kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT ||
                       kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE ||
                       kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED;
  Is(StatementKind::kTransaction, kTransaction | (commits ? kCommits : kNoEffect));
  facts_.commits_prepared = kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED;
  facts_.begins = transaction.kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN ||
                  transaction.kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START;
  if (!facts_.begins) return;
  const Modes modes = ModesOf(transaction);
  // A standby has no SERIALIZABLE.
  facts_.begins_read_only = modes.understood && modes.read_only && !modes.serializable;
  facts_.isolation = modes.understood ? modes.isolation : StatementFacts::Isolation::kHigher;
}

void StatementWalk::WalkPrepare(const PgQuery__PrepareStmt& prepare) {
  Is(StatementKind::kPrepare, kPrepares);
  facts_.prepared_name = prepare.name;
  Shape(prepare.query);
  QueryWalk walk(scan_, facts_, Running::kYes);
  walk.Walk(prepare.query);
  facts_.body_effects = walk.effects();
}

void StatementWalk::WalkExecute(const PgQuery__ExecuteStmt& execute) {
  facts_.effects |= kExecutes;
  facts_.prepared_name = execute.name;
  QueryWalk walk(scan_, facts_, Running::kYes);
  for (size_t i = 0; i < execute.n_params; ++i) walk.Walk(execute.params[i]);
  Take(walk);
}

void StatementWalk::WalkDeallocate(const PgQuery__DeallocateStmt& deallocate) {
  facts_.prepared_name = deallocate.name;
  Is(StatementKind::kDeallocate, facts_.prepared_name.empty() ? kDeallocatesAll : kDeallocates);
}

void StatementWalk::WalkDiscard(const PgQuery__DiscardStmt& discard) {
  uint32_t effects = kNoEffect;
  if (discard.target == PG_QUERY__DISCARD_MODE__DISCARD_ALL) {
    effects = kDiscardsAll | kResetsAll | kDeallocatesAll;
  } else if (discard.target == PG_QUERY__DISCARD_MODE__DISCARD_TEMP) {
    effects = kReleases;
  }
  Is(StatementKind::kDiscard, effects);
}

void StatementWalk::WalkDeclare(const PgQuery__DeclareCursorStmt& declare) {
  Is(StatementKind::kCursor, declare.options & kCursorHold ? kHoldCursor : kNoEffect);
  Shape(declare.query);
  Run(declare.query);
}

// CREATE TABLE AS and CREATE MATERIALIZED VIEW
void StatementWalk::WalkCreateTableAs(const PgQuery__CreateTableAsStmt& create) {
  Is(StatementKind::kDdl, kDdl | kWrites);
  QueryWalk into(scan_, facts_, Running::kYes);
  if (create.into && create.into->rel) into.AddRelation(*create.into->rel, true);
  Shape(create.query);
  Take(into);
  if (const PgQuery__ExecuteStmt* const execute = ExecuteOf(create.query)) {
    return WalkExecute(*execute);
  }
  Run(create.query);
}

void StatementWalk::WalkDrop(const PgQuery__DropStmt& drop) {
  Is(StatementKind::kDdl, kDdl | kWrites);
  size_t behind_table = 0;  // how many names of an object stand behind its table's
  switch (drop.remove_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
      facts_.effects |= kReleases;
      break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
      break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER:
    case PG_QUERY__OBJECT_TYPE__OBJECT_RULE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_POLICY:
      behind_table = 1;
      break;
    default:
      return;
  }
  if (drop.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX) facts_.names = Names::kIndexes;
  QueryWalk walk(scan_, facts_, Running::kYes);
  for (size_t i = 0; i < drop.n_objects; ++i) {
    const auto* name = As<PgQuery__List>(drop.objects[i], pg_query__list__descriptor);
    if (name && name->n_items > behind_table) {
      walk.AddRelation(NameParts(name->items, name->n_items - behind_table), true);
    }
  }
}

void StatementWalk::WalkCall(const PgQuery__CallStmt& call) {
  Is(StatementKind::kCall, kUnseen | kWrites);
  if (call.funccall == nullptr) return;
  QueryWalk walk(scan_, facts_, Running::kYes);
  walk.Walk(call.funccall->base);
  Take(walk);
}

// A utility statement: the relations that it names itself are written, those within its parts read.
void StatementWalk::WalkObjects(StatementKind kind, uint32_t effects,
                                const PgQuery__Node& statement, Running running) {
  Is(kind, effects);
  facts_.names = NamesOf(statement);
  QueryWalk walk(scan_, facts_, running);
  const bool writes = effects & kWrites;
  ForEachPart(*Unwrap(&statement.base), [&](const ProtobufCMessage& part) {
    if (part.descriptor == &pg_query__range_var__descriptor) {
      walk.AddRelation(reinterpret_cast<const PgQuery__RangeVar&>(part), writes);
    } else {
      walk.Walk(part);
    }
  });
  Take(walk);
}

void StatementWalk::Run(const PgQuery__Node* query) {
  QueryWalk walk(scan_, facts_, Running::kYes);
  walk.Walk(query);
  Take(walk);
}

void StatementWalk::Take(QueryWalk& walk) {
  facts_.effects |= walk.effects();
  std::move(walk.settings().begin(), walk.settings().end(), std::back_inserter(settings_));
}

}  // namespace

void WalkStatement(const PgQuery__Node& statement, const SqlScan& scan, StatementFacts& facts,
                   std::vector<SettingEffect>& settings) {
  StatementWalk(scan, facts, settings).Walk(statement);
}

}  // namespace pgweir::router
