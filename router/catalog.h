#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "router/catalog_queries.h"
#include "router/statement_facts.h"

namespace pgweir::router {

enum class Volatility : uint8_t { kImmutable, kStable, kVolatile };

struct CatalogColumn {
  std::string name;
  uint32_t type = 0;  // the type's OID
  // How two texts compare in the column's collation.
  enum class Order : uint8_t {
    kUnknown,  // it has none, or texts of different bytes may be equal in it
    kOther,    // equal only when their bytes are
    kBytes,    // that, and in the order of their bytes: "C"
  } order = Order::kUnknown;
  bool draws = false;  // its default draws from a sequence
  // From this one, and does nothing else: its name with its schema, as SQL writes it. Else "".
  std::string sequence = {};
  bool always = false;  // GENERATED ALWAYS AS IDENTITY
};

struct CatalogRelation {
  uint32_t oid = 0;
  QualifiedName name;
  char kind = 'r';         // pg_class.relkind
  std::string definition;  // of a view
  std::vector<CatalogColumn> columns;
  // Partitions and inheritance, as indexes in Catalog::relations().
  std::vector<uint32_t> parents, children;
  // A volatile function that isn't built in runs when this is read or written: of a view, a policy;
  // of a trigger, a rule, a default, a constraint, of tables that a foreign key changes with it.
  bool read_runs_volatile = false;
  bool write_runs_volatile = false;
  // Reading it is surely nothing but a read (router/read_verdict.h): of a view, what it is made of
  // is, too.
  bool surely_read = true;
  // Reading it twice may give different rows though nothing was written: a view asks for the time,
  // or calls a function that isn't immutable.
  bool read_varies = false;
  bool row_security = false;
  // What a read of it reads, and what a write to it may change: itself, partitions and other
  // children, what views and policies are made of, tables that foreign keys and rules change with
  // it. Indexes in Catalog::relations(), in order.
  std::vector<uint32_t> reads, writes;
};

// One function of a name whose functions are not all of one volatility.
struct Overload {
  std::string schema;
  Volatility volatility = Volatility::kVolatile;
  std::vector<uint32_t> parameters;  // their types' OIDs
  uint16_t defaults = 0;             // so many of the last ones may be left out
  bool variadic = false;
  uint32_t result = 0;  // its type's OID
  bool unseen = false;  // as Catalog::RunsUnseen has it
};

// Whether a statement may change its session in ways that its text doesn't show, and why.
enum class SessionVerdict : uint8_t {
  kNo,
  kCallsVolatile,   // calls a volatile function that isn't built in
  kReadsVolatile,   // a view or policy of what it reads does
  kWritesVolatile,  // a trigger, rule or default of what it writes does
  kUnknownName,     // names what isn't in this catalog: too new, temporary, or an error
};
std::string_view Describe(SessionVerdict verdict);

// A name that only the system's relations have, unless its schema says otherwise.
bool IsSystemRelation(const QualifiedName& name);

class Catalog;
using CatalogRef = std::shared_ptr<const Catalog>;

// What one node's catalog says, as of one moment. Immutable, shared between threads. Names without
// a schema are looked for in every schema, since search_path is the session's.
class Catalog {
 public:
  static StatusOr<CatalogRef> FromRows(const CatalogRows& rows);
  // As FromRows, but `current` itself when the rows say nothing new.
  static StatusOr<CatalogRef> Refresh(CatalogRef current, const CatalogRows& rows);

  // Of all rows: catalogs with the same one say the same.
  uint64_t fingerprint() const { return fingerprint_; }
  const std::vector<CatalogRelation>& relations() const { return relations_; }

  // The relations that the name may mean.
  std::vector<const CatalogRelation*> Find(const QualifiedName& name) const;

  // The greatest volatility of the functions that the name may mean; null when there are none.
  // Of one statement's calls router/call_volatility.h knows more.
  const Volatility* VolatilityOf(const QualifiedName& function) const;
  // One of them is volatile and not built in, so that it may change its session.
  bool RunsUnseen(const QualifiedName& function) const;

  // All functions of that name, whatever their schemas; empty when they are of one volatility.
  std::span<const Overload> OverloadsOf(std::string_view function) const;

  // What a domain is made of; any other type is made of itself.
  uint32_t BaseType(uint32_t type) const;
  // Without its schema, the name of this type of pg_catalog may mean another type.
  bool IsShadowedType(uint32_t type) const { return shadowed_types_.contains(type); }

  // Operators or casts outside pg_catalog call volatile functions. Statements don't name them.
  bool hides_volatile() const { return hides_volatile_; }

  // A transaction that doesn't say otherwise is READ COMMITTED, whoever begins it.
  bool read_committed() const { return read_committed_; }

  // Whether a function of that name, in whatever schema, is an aggregate.
  bool IsAggregate(std::string_view function) const { return aggregates_.contains(function); }

  // The relations that the index may be of.
  std::vector<const CatalogRelation*> FindByIndex(const QualifiedName& index) const;

  SessionVerdict MayChangeSession(const StatementFacts& statement) const;

 private:
  friend class CatalogLoader;

  SessionVerdict OfFunction(const QualifiedName& function) const;
  SessionVerdict OfRelation(const Relation& relation) const;

  template <typename Value>
  using ByName = std::unordered_map<std::string, Value, StringHash, StringEq>;

  uint64_t fingerprint_ = 0;
  bool hides_volatile_ = false;
  bool read_committed_ = false;
  std::vector<CatalogRelation> relations_;
  ByName<std::vector<uint32_t>> relations_by_name_;
  struct Function {
    std::string schema;
    Volatility volatility = Volatility::kVolatile;
    // Keeps no state in the session, volatile or not.
    bool harmless = false;
  };
  ByName<std::vector<Function>> functions_;  // outside pg_catalog
  ByName<Volatility> built_ins_;
  ByName<std::vector<Overload>> overloads_;
  std::unordered_map<uint32_t, uint32_t> domains_;
  std::unordered_set<uint32_t> shadowed_types_;
  std::unordered_set<std::string, StringHash, StringEq> aggregates_;
  struct Index {
    std::string schema;
    uint32_t relation = 0;
  };
  ByName<std::vector<Index>> indexes_;
};

}  // namespace pgweir::router
