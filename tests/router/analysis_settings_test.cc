#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "router/literal_value.h"
#include "tests/router/facts_of.h"

namespace pgweir::router {
namespace {

// The settings of a text: name or $n, then L for local, R for reset, ? for unknown.
std::string Settings(std::string_view sql) {
  SqlScan scan;
  scan.Scan(sql);
  const Facts facts = Analyse(sql, scan);
  EXPECT_EQ(facts.not_understood, "") << sql;
  std::string text;
  for (const SettingEffect& setting : facts.settings) {
    if (!text.empty()) text += ' ';
    text += SettingName(setting, sql, scan);
    if (setting.name_parameter > 0) text += '$' + std::to_string(setting.name_parameter);
    if (setting.local) text += "/L";
    if (setting.reset) text += "/R";
    if (setting.unknown) text += "/?";
  }
  return text;
}

TEST(AnalysisSettings, EveryFormOfSetNamesItsSetting) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"SET work_mem = 1", "work_mem"},
      {"SET Work_Mem TO 1", "work_mem"},
      {"SET \"Work_Mem\" TO 1", "work_mem"},
      {"SET SESSION work_mem = 1", "work_mem"},
      {"SET LOCAL work_mem = 1", "work_mem/L"},
      {"SET my.app = 'x'", "my.app"},
      {"SET work_mem TO DEFAULT", "work_mem/R"},
      {"SET LOCAL work_mem TO DEFAULT", "work_mem/L/R"},
      {"RESET work_mem", "work_mem/R"},
      {"RESET ALL", ""},
      {"SET TIME ZONE 'UTC'", "timezone"},
      {"SET LOCAL TIME ZONE INTERVAL '1' HOUR TO MINUTE", "timezone/L"},
      {"SET TIME ZONE LOCAL", "timezone/R"},
      {"SET TIME ZONE DEFAULT", "timezone/R"},
      {"RESET TIME ZONE", "timezone/R"},
      {"SET ROLE a", "role"},
      {"SET LOCAL ROLE 'a'", "role/L"},
      {"SET ROLE NONE", "role"},
      {"RESET ROLE", "role/R"},
      {"SET SESSION AUTHORIZATION a", "session_authorization"},
      {"SET SESSION AUTHORIZATION DEFAULT", "session_authorization/R"},
      {"RESET SESSION AUTHORIZATION", "session_authorization/R"},
      {"SET NAMES 'UTF8'", "client_encoding"},
      {"SET SCHEMA 'a'", "search_path"},
      {"SET XML OPTION DOCUMENT", "xmloption"},
      {"SET TRANSACTION READ ONLY", ""},
      {"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY, "
       "NOT DEFERRABLE",
       "default_transaction_isolation default_transaction_read_only "
       "default_transaction_deferrable"},
      {"SET transaction_isolation = 'serializable'", "transaction_isolation/L"},
      {"SET a = 1; SET LOCAL b = 2; RESET c", "a b/L c/R"},
  };
  for (const auto& [sql, expected] : cases) EXPECT_EQ(Settings(sql), expected) << sql;
}

TEST(AnalysisSettings, SetConfigNamesItsSettingByALiteral) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"SELECT set_config('a', 'b', false)", "a"},
      {"SELECT set_config('a', 'b', true)", "a/L"},
      {"SELECT pg_catalog.set_config('A', 'b', TRUE)", "a/L"},
      {"SELECT set_config('it''s', 'b', false)", "it's"},
      {"SELECT set_config(E'\\x61\\142', 'b', false)", "ab"},
      {"SELECT set_config(U&'!0061' UESCAPE '!', 'b', false)", "a"},
      {"SELECT set_config($$a$$, 'b', false)", "a"},
      {"SELECT set_config('a'::text, 'b', false)", "a"},
      {"SELECT set_config(setting_name => 'a', new_value => 'b', is_local => true)", "a/L"},
      {"SELECT set_config(is_local => true, new_value => 'b', setting_name => 'a')", "a/L"},
      // A literal's value is not part of what facts are shared by.
      {"SELECT set_config('a', 'b', 't')", "a"},
      {"SELECT set_config('a', 'b', $1)", "a"},
      {"SELECT set_config($1, 'b', true)", "$1/L"},
      {"SELECT set_config('a' || 'b', 'c', false)", "/?"},
      {"SELECT set_config(name, 'c', false) FROM t", "/?"},
      {"SELECT set_config('a', set_config('b', 'c', true), false)", "a b/L"},
      {"SELECT my.set_config('a', 'b', false)", ""},
      {"UPDATE t SET a = set_config('x', 'y', false)", "x"},
  };
  for (const auto& [sql, expected] : cases) EXPECT_EQ(Settings(sql), expected) << sql;
}

TEST(AnalysisSettings, SetConfigOfAnotherTextHasItsOwnName) {
  const std::string first = "SELECT 1, set_config('a', 'x', false)";
  const std::string second = "SELECT 22, set_config('bb', 'y', false)";
  SqlScan scan;
  scan.Scan(first);
  const Facts facts = Analyse(first, scan);
  scan.Scan(second);
  EXPECT_EQ(facts.digest, Analyse(second, scan).digest);
  EXPECT_EQ(SettingName(facts.settings.at(0), second, scan), "bb");
}

TEST(LiteralValue, EveryFormIsRead) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"'a''b'", "a'b"},
      {"''", ""},
      {"'a'\n 'b' -- c\n 'd'", "abd"},
      {"'a' -- '\n'b'", "ab"},
      {"'a\\n'", "a\\n"},
      {"E'a\\n\\t\\b\\f\\r\\\\\\'x''\\q'", "a\n\t\b\f\r\\'x'q"},
      {"E'\\101\\x42\\xg'", "ABxg"},
      {"E'\\u0041\\U00000042'", "AB"},
      {"U&'\\0041\\+000042\\\\'", "AB\\"},
      {"U&'a!0042' UESCAPE '!'", "aB"},
      {"U&'a'\n'\\0042'", "aB"},
      {"$$a'$b$$", "a'$b"},
      {"$t$a$$b$t$", "a$$b"},
      {"B'1010'", "1010"},
      {"x'fF'", "fF"},
      {"1.50", "1.50"},
      {"N'a'", "a"},
  };
  for (const auto& [text, expected] : cases) {
    SqlScan scan;
    scan.Scan(text);
    ASSERT_EQ(scan.literals().size(), 1u) << text;
    EXPECT_EQ(LiteralValue(text, scan.literals()[0]), expected) << text;
  }
}

TEST(LiteralValue, WhatDependsOnTheEncodingIsNotRead) {
  for (const char* text :
       {"E'\\u00e4'", "U&'\\00e4'", "U&'\\zzzz'", "U&'\\004'", "E'\\u12'", "U&'a' UESCAPE $$!$$"}) {
    SqlScan scan;
    scan.Scan(text);
    ASSERT_EQ(scan.literals().size(), 1u) << text;
    EXPECT_EQ(LiteralValue(text, scan.literals()[0]), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace pgweir::router
