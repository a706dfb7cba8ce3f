#include "query-cache/admission.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/router/facts_of.h"

namespace pgweir::cache {
namespace {

using router::CatalogQuery;

router::CatalogRef Sample() {
  router::CatalogRows rows;
  const auto of = [&rows](CatalogQuery query) -> auto& { return rows[static_cast<size_t>(query)]; };
  of(CatalogQuery::kRelations) = {{"1", "public", "t", "r", ""},
                                  {"2", "public", "v", "v", " SELECT guarded.a FROM guarded;"},
                                  {"3", "public", "guarded", "r", ""},
                                  {"4", "public", "s", "S", ""},
                                  {"5", "public", "far", "f", ""}};
  of(CatalogQuery::kUses) = {{"2", "r", "r", "3"}};
  of(CatalogQuery::kSecured) = {{"3"}};
  of(CatalogQuery::kFunctions) = {{"101", "app", "bump", "v", ""}};
  of(CatalogQuery::kBuiltIns) = {
      {"now", "s"}, {"random", "v"}, {"lower", "i"}, {"inet_client_addr", "s"}};
  return router::Catalog::FromRows(rows).value();
}

Rules RulesFor(const std::function<void(config::CacheRule&)>& change = [](config::CacheRule&) {}) {
  config::CacheRule rule;
  rule.pattern = ".";
  change(rule);
  const std::vector<config::CacheRule> rules = {rule};
  return Rules::Compile(rules).value();
}

Refusal Of(std::string_view sql, const Rules& rules) {
  const router::CatalogRef catalog = Sample();
  const router::Facts facts = router::test::FactsOf(sql);
  const Admission admission = Admit(facts, sql, *catalog, rules);
  return admission.Under(admission.rule);
}

// Situations 4 and 18 to 30, as far as the catalog and the text tell.
TEST(Admission, RefusesWhatIsNotSurelyTheSameAgain) {
  const Rules rules = RulesFor();
  using enum Refusal;
  const std::pair<std::string_view, Refusal> cases[] = {
      {"SELECT a, lower(b) FROM t", kNone},
      {"TABLE t", kNone},
      {"VALUES (1)", kNone},
      {"SELECT 1; SELECT 2", kSeveral},
      {"SELECT random() FROM t", kNotRead},
      {"SELECT app.bump()", kNotRead},
      {"SELECT * FROM t FOR UPDATE", kNotRead},
      {"SELECT * INTO u FROM t", kNotRead},
      {"WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x", kNotRead},
      {"SELECT set_config('a.b', '1', false)", kNotRead},
      {"SELECT * FROM s", kNotRead},
      {"SELECT * FROM far", kNotRead},
      {"SELECT * FROM pg_class", kNotRead},
      {"SHOW work_mem", kNotRead},
      {"UPDATE t SET a = 1", kNotRead},
      {"EXPLAIN ANALYZE SELECT 1", kNotRead},
      {"DECLARE c CURSOR FOR SELECT 1", kNotRead},
      {"COPY t TO STDOUT", kNotRead},
      {"selekt", kNotRead},
      {"SELECT * FROM nosuch", kUnknownName},
      {"SELECT nosuch()", kUnknownName},
      {"SELECT now() FROM t", kVaries},
      {"SELECT current_date", kVaries},
      {"SELECT inet_client_addr()", kAsksConnection},
      {"SELECT * FROM t TABLESAMPLE system (10)", kSamples},
      {"SELECT * FROM guarded", kRowSecurity},
      {"SELECT * FROM v", kRowSecurity},
  };
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(Describe(Of(sql, rules)), Describe(expected)) << sql;
  }
}

TEST(Admission, IsByTheRule) {
  using enum Refusal;
  const Rules stable = RulesFor([](config::CacheRule& rule) { rule.allow_stable = true; });
  EXPECT_EQ(Of("SELECT now() FROM t", stable), kNone);
  EXPECT_EQ(Of("SELECT random() FROM t", stable), kNotRead);
  EXPECT_EQ(Of("SELECT inet_client_addr()", stable), kAsksConnection);
  const Rules secured = RulesFor([](config::CacheRule& rule) { rule.key_settings = {"app.x"}; });
  EXPECT_EQ(Of("SELECT * FROM guarded", secured), kNone);
  const Rules off = RulesFor([](config::CacheRule& rule) { rule.mode = config::CacheMode::kOff; });
  EXPECT_EQ(Of("SELECT * FROM t", off), kOff);
}

TEST(Admission, WithoutARuleIsByTheStatementsOwnWish) {
  const router::CatalogRef catalog = Sample();
  const Rules none;
  const Admission plain = Admit(router::test::FactsOf("SELECT * FROM t"), "", *catalog, none);
  EXPECT_EQ(plain.rule, nullptr);
  EXPECT_EQ(plain.Under(nullptr), Refusal::kNone);
  const Admission varies = Admit(router::test::FactsOf("SELECT now()"), "", *catalog, none);
  EXPECT_EQ(varies.Under(nullptr), Refusal::kVaries);
}

}  // namespace
}  // namespace pgweir::cache
