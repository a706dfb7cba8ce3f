#include "router/traceparent.h"

#include <gtest/gtest.h>

namespace pgweir::router {
namespace {

constexpr std::string_view kTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::string Of(const std::string& sql) {
  if (!MayHaveTraceparent(sql)) return "";
  SqlScan scan;
  scan.Scan(sql);
  return std::string(TraceparentOf(sql, scan));
}

TEST(Traceparent, IsReadFromSqlcommentersComment) {
  const std::string trace(kTrace);
  EXPECT_EQ(Of("select 1 /*action='x',traceparent='" + trace + "',tracestate='y'*/"), trace);
  EXPECT_EQ(Of("/*traceparent='" + trace + "'*/ select 1"), trace);
  EXPECT_EQ(Of("select '/*traceparent=''" + trace + "''*/'"), "");
  EXPECT_EQ(Of("select 1 /*traceparent=" + trace + "*/"), "");
  EXPECT_EQ(Of("select 1 /*traceparent='" + trace), "");
}

TEST(Traceparent, IsLookedForInCommentsOnly) {
  EXPECT_FALSE(MayHaveTraceparent("select 'traceparent='''"));
  EXPECT_FALSE(MayHaveTraceparent("select 'traceparent=''' /* nothing */"));
  EXPECT_TRUE(MayHaveTraceparent("select 1 /*traceparent='"));
}

TEST(Traceparent, IsAsTheStandardHasIt) {
  EXPECT_TRUE(IsTraceparent(kTrace));
  EXPECT_FALSE(IsTraceparent(""));
  EXPECT_FALSE(IsTraceparent("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  EXPECT_FALSE(IsTraceparent("00-00000000000000000000000000000000-b7ad6b7169203331-01"));
  EXPECT_FALSE(IsTraceparent("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"));
  EXPECT_FALSE(IsTraceparent("00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01"));
  EXPECT_FALSE(IsTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"));
}

}  // namespace
}  // namespace pgweir::router
