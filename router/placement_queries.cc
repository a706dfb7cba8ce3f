#include "router/placement_queries.h"

namespace pgweir::router {
namespace {

// Where a database keeps its locale depends on the server's version.
constexpr const char* kDatabase = R"(
SELECT pg_catalog.pg_encoding_to_char(d.encoding)::text, d.datcollate::text, d.datctype::text,
       coalesce(pg_catalog.to_jsonb(d)->>'datlocprovider', 'c'),
       coalesce(pg_catalog.to_jsonb(d)->>'datlocale', pg_catalog.to_jsonb(d)->>'daticulocale', '')
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())";

constexpr const char* kTables = R"(
SELECT n.nspname::text, c.relname::text, c.relkind::text, pn.nspname::text, p.relname::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
LEFT JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY c.oid, i.inhseqno)";

// An identity's sequence depends on its column; any other default depends on its sequence, unless
// that is named as text.
constexpr const char* kColumns = R"(
SELECT n.nspname::text, c.relname::text, a.attname::text,
       CASE WHEN tn.nspname = 'pg_catalog' THEN pg_catalog.format_type(t.oid, a.atttypmod)
            ELSE pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.typname) END,
       CASE WHEN a.atttypid IN (25, 1042, 1043) THEN 't' END,
       l.collname::text,
       CASE WHEN l.oid IS NULL OR NOT l.collisdeterministic THEN ''
            WHEN l.collcollate IN ('C', 'POSIX') AND l.collprovider = 'c' THEN 'c'
            WHEN l.collname = 'ucs_basic' THEN 'c'
            WHEN l.collprovider = 'd' AND d.datcollate IN ('C', 'POSIX')
                 AND coalesce(pg_catalog.to_jsonb(d)->>'datlocprovider', 'c') = 'c' THEN 'c'
            ELSE 'd' END,
       CASE WHEN a.attnotnull THEN 't' END,
       CASE WHEN a.attidentity <> '' THEN 'i'
            WHEN s.name IS NOT NULL THEN 's'
            WHEN pg_catalog.pg_get_expr(f.adbin, f.adrelid) ~ '\mnextval\(' THEN 's' END,
       s.name
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN LATERAL (
  SELECT pg_catalog.quote_ident(sn.nspname) || '.' || pg_catalog.quote_ident(q.relname) AS name
  FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_class q
    ON q.oid = CASE WHEN a.attidentity <> '' THEN e.objid ELSE e.refobjid END AND q.relkind = 'S'
  JOIN pg_catalog.pg_namespace sn ON sn.oid = q.relnamespace
  WHERE CASE WHEN a.attidentity <> ''
             THEN e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.deptype = 'i'
                  AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND e.refobjid = a.attrelid AND e.refobjsubid = a.attnum
             ELSE e.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND e.objid = f.oid
                  AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass END
  ORDER BY q.oid LIMIT 1) s ON true
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY a.attrelid, a.attnum)";

// Those that partitions have from their parent count once. A foreign key names the index of the
// table it refers to, too.
constexpr const char* kKeys = R"(
SELECT n.nspname::text, t.relname::text, coalesce(c.contype::text, 'i'), x.relname::text,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.position)
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (number, position)
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
          AND k.number <> 0
        WHERE k.position <= i.indnkeyatts)::text,
       CASE WHEN i.indpred IS NOT NULL THEN 't' END,
       pg_catalog.pg_get_indexdef(i.indexrelid)
         || coalesce(' ' || pg_catalog.pg_get_constraintdef(c.oid), '')
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid
  AND c.contype IN ('p', 'u', 'x')
WHERE (i.indisunique OR i.indisexclusion) AND NOT x.relispartition AND t.relkind IN ('r', 'p')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY i.indexrelid)";

constexpr const char* kForeignKeys = R"(
SELECT n.nspname::text, t.relname::text, c.conname::text,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.position)
        FROM unnest(c.conkey) WITH ORDINALITY k (number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number)::text,
       rn.nspname::text, r.relname::text,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.position)
        FROM unnest(c.confkey) WITH ORDINALITY k (number, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number)::text,
       c.confmatchtype::text || c.confupdtype::text || c.confdeltype::text
         || CASE WHEN c.condeferrable THEN 'd' ELSE '' END
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_class r ON r.oid = c.confrelid
JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
WHERE c.contype = 'f' AND c.conparentid = 0
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY c.oid)";

}  // namespace

const char* PlacementQueryText(PlacementQuery query) {
  switch (query) {
    case PlacementQuery::kDatabase:
      return kDatabase;
    case PlacementQuery::kTables:
      return kTables;
    case PlacementQuery::kColumns:
      return kColumns;
    case PlacementQuery::kKeys:
      return kKeys;
    case PlacementQuery::kForeignKeys:
      return kForeignKeys;
  }
  return "";
}

}  // namespace pgweir::router
