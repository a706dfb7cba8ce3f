#include "query-cache/rules.h"

#include <gmock/gmock.h>

namespace pgweir::cache {
namespace {

using router::QualifiedName;
using std::chrono::seconds;

config::CacheRule ForTables(std::vector<std::string> tables) {
  config::CacheRule rule;
  rule.tables = std::move(tables);
  return rule;
}
config::CacheRule ForDigest(uint64_t digest) {
  config::CacheRule rule;
  rule.digest = digest;
  return rule;
}
config::CacheRule ForPattern(std::string pattern) {
  config::CacheRule rule;
  rule.pattern = std::move(pattern);
  return rule;
}

Rules Compiled(const std::vector<config::CacheRule>& rules) {
  auto compiled = Rules::Compile(rules);
  EXPECT_TRUE(compiled.ok()) << MessageOf(compiled.status());
  return compiled.ok() ? *std::move(compiled) : Rules();
}

// The number of the rule that matches; 0 when none does.
int Matching(const Rules& rules, const std::vector<QualifiedName>& tables, uint64_t digest = 0,
             std::string_view normalised = "") {
  const Rule* rule = rules.Match({tables, digest, normalised});
  return rule == nullptr ? 0 : rule->number;
}

const QualifiedName kCandles{"public", "candles"};
const QualifiedName kTrades{"public", "trades"};
const QualifiedName kAuditCandles{"audit", "candles"};

TEST(Rules, MatchNothingWhenThereAreNone) {
  EXPECT_EQ(Rules().Match({{}, 1, "select 1"}), nullptr);
  EXPECT_EQ(Matching(Compiled({}), {kCandles}), 0);
}

TEST(Rules, MatchStatementsWhoseTablesAreAllListed) {
  const Rules rules = Compiled({ForTables({"candles"}), ForTables({"candles", "trades"})});
  EXPECT_EQ(Matching(rules, {kCandles}), 1);
  EXPECT_EQ(Matching(rules, {kCandles, kTrades}), 2);
  EXPECT_EQ(Matching(rules, {kTrades}), 2);
  EXPECT_EQ(Matching(rules, {kTrades, {"public", "users"}}), 0);
  EXPECT_EQ(Matching(rules, {}), 0) << "no table is none of them";
}

TEST(Rules, TellSchemasApartWhereTheyAreWritten) {
  const Rules rules = Compiled({ForTables({"public.candles"})});
  EXPECT_EQ(Matching(rules, {kCandles}), 1);
  EXPECT_EQ(Matching(rules, {kAuditCandles}), 0);
  EXPECT_EQ(Matching(Compiled({ForTables({"candles"})}), {kAuditCandles}), 1);
}

TEST(Rules, MatchByDigest) {
  const Rules rules = Compiled({ForDigest(7)});
  EXPECT_EQ(Matching(rules, {kCandles}, 7), 1);
  EXPECT_EQ(Matching(rules, {kCandles}, 8), 0);
}

TEST(Rules, MatchByPatternAnywhereInTheText) {
  const Rules rules = Compiled({ForPattern("from candles( |$)"), ForPattern("^select 1$")});
  EXPECT_EQ(Matching(rules, {}, 0, "select * from candles where symbol = '?'"), 1);
  EXPECT_EQ(Matching(rules, {}, 0, "select * from candles_old"), 0);
  EXPECT_EQ(Matching(rules, {}, 0, "select 1"), 2);
  EXPECT_EQ(Matching(rules, {}, 0, "select 1 from t"), 0);
}

TEST(Rules, TakeLinearTimeForHostilePatterns) {
  const Rules rules = Compiled({ForPattern("^(a+)+$"), ForPattern("(a*)*b")});
  EXPECT_EQ(Matching(rules, {}, 0, std::string(1'000'000, 'a') + "!"), 0);
}

TEST(Rules, LetTheFirstMatchCountWhateverItsMode) {
  config::CacheRule off = ForTables({"candles"});
  off.mode = config::CacheMode::kOff;
  const Rules rules = Compiled({off, ForTables({"candles"})});
  const std::vector<QualifiedName> tables = {kCandles};
  EXPECT_EQ(rules.Match({tables, 0, ""})->mode, config::CacheMode::kOff);
}

TEST(Rules, CarryTheirValues) {
  config::CacheRule from = ForDigest(1);
  from.ttl = seconds(5);
  from.stale_while_revalidate = seconds(2);
  from.stale_if_error = seconds(60);
  from.allow_stable = true;
  from.key_settings = {"App.Tenant"};
  from.verify = 0.5;
  config::CacheRule empty = ForDigest(2);
  empty.empty_ttl = seconds(0);
  const Rules rules = Compiled({from, empty});
  const Rule& rule = rules[0];
  EXPECT_EQ(rule.lifetimes, (Lifetimes{seconds(5), seconds(5), seconds(2), seconds(60)}));
  EXPECT_TRUE(rule.allow_stable);
  EXPECT_THAT(rule.key_settings, testing::ElementsAre("app.tenant"));
  EXPECT_EQ(rule.verify, 0.5);
  EXPECT_EQ(rules[1].lifetimes.empty_ttl, seconds(0));
}

TEST(Rules, KeepTheirIdThroughAReloadThatChangesTheRest) {
  config::CacheRule before = ForTables({"candles"});
  config::CacheRule after = before;
  after.ttl = seconds(99);
  const Rules was = Compiled({before});
  const Rules is = Compiled({ForTables({"trades"}), after, ForDigest(1), ForPattern("x")});
  EXPECT_EQ(was[0].id, is[1].id);
  for (const size_t other : {0, 2, 3}) EXPECT_NE(was[0].id, is[other].id);
}

TEST(Rules, SayWhichPatternIsNone) {
  const std::vector<config::CacheRule> rules = {ForDigest(1), ForPattern("(")};
  const auto compiled = Rules::Compile(rules);
  ASSERT_FALSE(compiled.ok());
  EXPECT_THAT(MessageOf(compiled.status()), testing::HasSubstr("rule 2 of the cache: missing )"));
}

}  // namespace
}  // namespace pgweir::cache
