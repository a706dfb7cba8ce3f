#include "router/catalog_queries.h"

namespace pgweir::router {
namespace {

constexpr const char* kRelations = R"(
SELECT c.oid::text, n.nspname::text, c.relname::text, c.relkind::text,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY c.oid)";

constexpr const char* kColumns = R"(
SELECT a.attrelid::text, a.attname::text, a.atttypid::text,
       CASE WHEN l.oid IS NULL OR NOT l.collisdeterministic THEN ''
            WHEN l.collcollate IN ('C', 'POSIX') AND l.collprovider = 'c' THEN 'c'
            WHEN l.collname = 'ucs_basic' THEN 'c'
            WHEN l.collprovider = 'd' AND d.datcollate IN ('C', 'POSIX')
                 AND coalesce(pg_catalog.to_jsonb(d)->>'datlocprovider', 'c') = 'c' THEN 'c'
            ELSE 'd' END
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY a.attrelid, a.attnum)";

constexpr const char* kInheritance = R"(
SELECT i.inhrelid::text, i.inhparent::text
FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhparent
WHERE c.relkind IN ('r', 'p', 'f')
ORDER BY i.inhrelid, i.inhseqno)";

// An aggregate is as volatile as what it is made of: its own mark says nothing.
constexpr const char* kFunctions = R"(
SELECT p.oid::text, n.nspname::text, p.proname::text,
       CASE WHEN p.prokind = 'a' THEN
         (SELECT max(s.provolatile::text) FROM pg_catalog.pg_aggregate a
          JOIN pg_catalog.pg_proc s ON s.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn,
            a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
          WHERE a.aggfnoid = p.oid)
       ELSE p.provolatile::text END,
       e.extname::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  AND d.objid = p.oid AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
WHERE n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY p.oid)";

constexpr const char* kBuiltIns = R"(
SELECT p.proname::text, max(p.provolatile::text)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'pg_catalog'
GROUP BY p.proname ORDER BY p.proname)";

// In turn: functions, operators and relations of views and rules; functions of defaults, of check
// constraints, of triggers, of policies; relations of policies; tables that foreign keys change
// with theirs.
constexpr const char* kUses = R"(
SELECT w.ev_class::text, CASE w.ev_type WHEN '1' THEN 'r' ELSE 'w' END, 'f', d.refobjid::text
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
UNION SELECT w.ev_class::text, CASE w.ev_type WHEN '1' THEN 'r' ELSE 'w' END, 'f',
       o.oprcode::oid::text
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
JOIN pg_catalog.pg_operator o ON o.oid = d.refobjid
WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
UNION SELECT w.ev_class::text, CASE w.ev_type WHEN '1' THEN 'r' ELSE 'w' END, 'r', d.refobjid::text
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> w.ev_class
UNION SELECT a.adrelid::text, 'w', 'f', d.refobjid::text
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attrdef a ON a.oid = d.objid
WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
UNION SELECT c.conrelid::text, 'w', 'f', d.refobjid::text
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_constraint c ON c.oid = d.objid
WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND c.conrelid <> 0
  AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
UNION SELECT t.tgrelid::text, 'w', 'f', t.tgfoid::text
FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal
UNION SELECT p.polrelid::text, 'r', 'f', d.refobjid::text
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_policy p ON p.oid = d.objid
WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
UNION SELECT p.polrelid::text, 'r', 'r', d.refobjid::text
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_policy p ON p.oid = d.objid
WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass
  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> p.polrelid
UNION SELECT c.confrelid::text, 'w', 'r', c.conrelid::text
FROM pg_catalog.pg_constraint c
WHERE c.contype = 'f' AND (c.confdeltype IN ('c', 'n', 'd') OR c.confupdtype IN ('c', 'n', 'd'))
ORDER BY 1, 2, 3, 4)";

constexpr const char* kHidden = R"(
SELECT o.oid::text FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
WHERE n.nspname <> 'pg_catalog' AND p.provolatile = 'v'
UNION ALL SELECT c.oid::text FROM pg_catalog.pg_cast c
JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname <> 'pg_catalog' AND p.provolatile = 'v'
ORDER BY 1)";

constexpr const char* kAggregates = R"(
SELECT DISTINCT p.proname::text FROM pg_catalog.pg_proc p WHERE p.prokind = 'a' ORDER BY 1)";

constexpr const char* kIndexes = R"(
SELECT n.nspname::text, c.relname::text, i.indrelid::text
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY c.oid)";

// An identity, a default that calls nextval or otherwise names a sequence. The sequence is the one
// that the identity owns, or the only one that the default depends on.
constexpr const char* kDrawn = R"(
SELECT a.attrelid::text, a.attname::text,
       CASE WHEN a.attidentity <> '' THEN
         (SELECT pg_catalog.format('%I.%I', m.nspname, s.relname)
          FROM pg_catalog.pg_depend d
          JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
          JOIN pg_catalog.pg_namespace m ON m.oid = s.relnamespace
          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype = 'i')
       WHEN pg_catalog.pg_get_expr(f.adbin, f.adrelid) ~ '^nextval\(''[^'']+''::regclass\)$' THEN
         (SELECT CASE WHEN count(*) = 1 THEN min(pg_catalog.format('%I.%I', m.nspname, s.relname))
                 END
          FROM pg_catalog.pg_depend d
          JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
          JOIN pg_catalog.pg_namespace m ON m.oid = s.relnamespace
          WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid
            AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)
       END,
       a.attidentity::text
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
  AND (a.attidentity <> '' OR pg_catalog.pg_get_expr(f.adbin, f.adrelid) ~ '\mnextval\('
       OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                  JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
                  WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                    AND d.objid = f.oid
                    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass))
ORDER BY a.attrelid, a.attnum)";

constexpr const char* kSecured = R"(
SELECT c.oid::text FROM pg_catalog.pg_class c WHERE c.relrowsecurity ORDER BY c.oid)";

// The server treats READ UNCOMMITTED alike.
constexpr const char* kCommitted = R"(
SELECT '' WHERE pg_catalog.current_setting('default_transaction_isolation') ~ '^read '
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s
                  WHERE s.setconfig::text ~* 'transaction_isolation'))";

// The mark of an aggregate outside pg_catalog says nothing.
constexpr const char* kOverloads = R"(
SELECT p.oid::text, n.nspname::text, p.proname::text, p.provolatile::text, p.proargtypes::text,
       p.pronargdefaults::text, CASE WHEN p.provariadic <> 0 THEN 't' END, p.prorettype::text
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^pg_(toast|temp)' AND p.proname IN (
  SELECT s.proname
  FROM pg_catalog.pg_proc s JOIN pg_catalog.pg_namespace m ON m.oid = s.pronamespace
  WHERE m.nspname !~ '^pg_(toast|temp)'
  GROUP BY s.proname
  HAVING count(*) > 1 AND (count(DISTINCT s.provolatile) > 1
                           OR bool_or(s.prokind = 'a' AND m.nspname <> 'pg_catalog')))
ORDER BY p.oid)";

constexpr const char* kTypes = R"(
SELECT t.oid::text, t.typbasetype::text FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
UNION ALL SELECT b.oid::text, '' FROM pg_catalog.pg_type b
WHERE b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
  AND EXISTS (SELECT FROM pg_catalog.pg_type t
              JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
              WHERE t.typname = b.typname AND n.nspname <> 'pg_catalog'
                AND n.nspname !~ '^pg_(toast|temp)')
ORDER BY 1, 2)";

}  // namespace

const char* CatalogQueryText(CatalogQuery query) {
  switch (query) {
    case CatalogQuery::kRelations:
      return kRelations;
    case CatalogQuery::kColumns:
      return kColumns;
    case CatalogQuery::kInheritance:
      return kInheritance;
    case CatalogQuery::kFunctions:
      return kFunctions;
    case CatalogQuery::kBuiltIns:
      return kBuiltIns;
    case CatalogQuery::kUses:
      return kUses;
    case CatalogQuery::kHidden:
      return kHidden;
    case CatalogQuery::kAggregates:
      return kAggregates;
    case CatalogQuery::kIndexes:
      return kIndexes;
    case CatalogQuery::kDrawn:
      return kDrawn;
    case CatalogQuery::kSecured:
      return kSecured;
    case CatalogQuery::kCommitted:
      return kCommitted;
    case CatalogQuery::kOverloads:
      return kOverloads;
    case CatalogQuery::kTypes:
      return kTypes;
  }
  return "";
}

}  // namespace pgweir::router
