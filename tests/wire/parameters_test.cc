#include "wire/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgweir::wire {
namespace {

using testing::HasSubstr;
using testing::Not;

Parameters Fresh() {
  Parameters parameters;
  parameters.Report("server_version", "15.1");
  parameters.Report("TimeZone", "UTC");
  parameters.Report("application_name", "");
  return parameters;
}

// Rule 62: the newest report counts, whatever the case of its name.
TEST(Parameters, ReportReplacesTheValue) {
  Parameters parameters = Fresh();
  parameters.Report("timezone", "Asia/Tokyo");
  EXPECT_EQ(*parameters.Find("TIMEZONE"), "Asia/Tokyo");
  EXPECT_EQ(parameters.reported().size(), 3u);
  EXPECT_EQ(parameters.Find("nothing"), nullptr);
}

TEST(SettingsChange, IsEmptyForEqualSettings) { EXPECT_EQ(SettingsChange(Fresh(), Fresh()), ""); }

TEST(SettingsChange, NamesOnlyWhatDiffersAndCanBeSet) {
  Parameters to = Fresh();
  to.Report("TimeZone", "Asia/Tokyo");
  to.Report("server_version", "16.0");
  EXPECT_EQ(SettingsChange(Fresh(), to), "SET TimeZone TO 'Asia/Tokyo';");
}

// What the server does not report can't be compared: everything begins anew.
TEST(SettingsChange, OtherUnreportedSettingsResetAll) {
  Parameters from = Fresh();
  from.set_unreported({{"work_mem", "1MB"}});
  Parameters to = Fresh();
  to.set_unreported({{"statement_timeout", "5s"}});
  EXPECT_EQ(SettingsChange(from, to),
            "RESET \"work_mem\";SELECT pg_catalog.set_config('statement_timeout','5s',false);");
}

TEST(SettingsChange, SettingsThatBothHaveAreLeftAlone) {
  Parameters from = Fresh();
  from.set_unreported({{"work_mem", "1MB"}, {"lock_timeout", "1s"}});
  Parameters to = Fresh();
  to.set_unreported({{"lock_timeout", "1s"}, {"work_mem", "2MB"}});
  EXPECT_EQ(SettingsChange(from, to), "SELECT pg_catalog.set_config('work_mem','2MB',false);");
}

// Rule 74: a role is taken last, with all the rights of the login until then, and left first.
TEST(SettingsChange, RolesAreLeftFirstAndTakenLast) {
  Parameters plain = Fresh();
  Parameters reader = Fresh();
  reader.set_unreported({{"role", "reader"}, {"work_mem", "1MB"}});
  EXPECT_EQ(SettingsChange(plain, reader),
            "SELECT pg_catalog.set_config('work_mem','1MB',false);"
            "SELECT pg_catalog.set_config('role','reader',false);");
  EXPECT_EQ(SettingsChange(reader, plain), "RESET ROLE;RESET \"work_mem\";");
  Parameters other = Fresh();
  other.set_unreported({{"role", "reader"}, {"session_authorization", "owner"}});
  EXPECT_EQ(SettingsChange(reader, other),
            "RESET SESSION AUTHORIZATION;RESET \"work_mem\";"
            "SELECT pg_catalog.set_config('session_authorization','owner',false);"
            "SELECT pg_catalog.set_config('role','reader',false);");
}

TEST(Parameters, OfANameGivenTwiceTheLastCounts) {
  Parameters parameters;
  parameters.set_unreported({{"work_mem", "1MB"}, {"a.b", "x"}, {"Work_Mem", "2MB"}});
  ASSERT_EQ(parameters.unreported().size(), 2u);
  EXPECT_EQ(*parameters.FindUnreported("work_mem"), "2MB");
}

TEST(Parameters, NamesWithADotAreANumber) {
  Parameters none, one, other;
  none.set_unreported({{"work_mem", "1MB"}});
  one.set_unreported({{"app.tenant", "1"}});
  other.set_unreported({{"app.tenant", "2"}, {"work_mem", "1MB"}});
  EXPECT_EQ(none.custom_settings(), 0u);
  EXPECT_NE(one.custom_settings(), 0u);
  EXPECT_EQ(one.custom_settings(), other.custom_settings());
  other.set_unreported({{"app.tenant", "2"}, {"app.user", "1"}});
  EXPECT_NE(one.custom_settings(), other.custom_settings());
}

// Rule 48: what changes a text's meaning is part of it, what only bounds it is not.
TEST(Parameters, AnalysisDependsOnWhatChangesMeaning) {
  Parameters a = Fresh(), b = Fresh();
  b.set_unreported({{"statement_timeout", "1s"}});
  b.Report("application_name", "other");
  EXPECT_EQ(a.AnalysisKey(), b.AnalysisKey());
  b.set_unreported({{"search_path", "other"}});
  EXPECT_NE(a.AnalysisKey(), b.AnalysisKey());
  b.set_unreported({});
  b.Report("TimeZone", "Asia/Tokyo");
  EXPECT_NE(a.AnalysisKey(), b.AnalysisKey());
}

// Rule 8: no value is pasted into SQL as it is, nor is a name.
TEST(SettingsSql, HostileNamesAndValuesStayLiterals) {
  EXPECT_EQ(SettingsSql({{"TimeZone", "x'; drop table t; --"}}),
            "SET TimeZone TO 'x''; drop table t; --';");
  EXPECT_EQ(SettingsSql({{"search_path", "a; drop table t"}}),
            "SELECT pg_catalog.set_config('search_path','a; drop table t',false);");
  EXPECT_EQ(SettingsSql({{"a',''); drop table t; --", "1"}}),
            "SELECT pg_catalog.set_config('a'',''''); drop table t; --','1',false);");
}

TEST(QuoteLiteral, BackslashesReadTheSameWhateverTheServerThinksOfThem) {
  EXPECT_EQ(QuoteLiteral("plain"), "'plain'");
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
  EXPECT_EQ(QuoteLiteral("a\\'b"), "E'a\\\\''b'");
}

}  // namespace
}  // namespace pgweir::wire
