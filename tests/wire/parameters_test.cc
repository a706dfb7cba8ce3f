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
  const std::string sql = SettingsChange(from, to);
  EXPECT_TRUE(sql.starts_with("RESET ALL;")) << sql;
  EXPECT_THAT(sql, HasSubstr("set_config('statement_timeout','5s',false)"));
  EXPECT_THAT(sql, HasSubstr("SET TimeZone TO 'UTC';"));
  EXPECT_THAT(sql, Not(HasSubstr("work_mem")));
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
