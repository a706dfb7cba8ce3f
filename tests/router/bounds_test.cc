// What a text may do to the parser: nothing.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "router/big_stack.h"
#include "router/depth.h"
#include "tests/router/facts_of.h"

namespace pgweir::router {
namespace {

using test::FactsOf;

std::string Repeated(std::string_view text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

Depth DepthOf(std::string_view sql) {
  SqlScan scan;
  scan.Scan(sql);
  return MeasureDepth(scan);
}

struct Shape {
  const char* name;
  std::string_view before, again, middle, closing, after;
};

// Every way of nesting without end that the grammar has. `again` n times, then `closing` n times.
constexpr Shape kShapes[] = {
    {"sum", "SELECT 1", "+1", "", "", ""},
    {"minus", "SELECT ", "- ", "1", "", ""},
    {"concatenation", "SELECT 'a'", "||'a'", "", "", ""},
    {"power", "SELECT 1", "^1", "", "", ""},
    {"not", "SELECT ", "NOT ", "true", "", ""},
    {"cast", "SELECT 1", "::int", "", "", ""},
    {"collate", "SELECT a", " COLLATE \"C\"", "", "", ""},
    {"zone", "SELECT a", " AT TIME ZONE 'x'", "", "", ""},
    {"null", "SELECT a", " IS NULL", "", "", ""},
    {"isnull", "SELECT a", " ISNULL", "", "", ""},
    {"operator", "SELECT a", " OPERATOR(+) 1", "", "", ""},
    {"union", "SELECT 1", " UNION SELECT 1, 2", "", "", ""},
    {"join", "SELECT 1 FROM a", " JOIN a USING (b, c)", "", "", ""},
    {"case", "SELECT ", "CASE WHEN a THEN ", "1", " END", ""},
    {"else", "SELECT ", "CASE WHEN a THEN 1 ELSE ", "1", " END", ""},
    {"between", "SELECT ", "a BETWEEN 1 AND NOT ", "b", "", ""},
    {"subscript", "SELECT ", "a[", "1", "]", ""},
    {"parentheses", "SELECT ", "(", "1", ")", ""},
    {"calls", "SELECT ", "f(", "1", ")", ""},
    {"sub-selects", "", "(SELECT ", "1", ")", ""},
    {"from", "SELECT 1", " FROM (SELECT 1", "", ") a", ""},
    {"exists", "SELECT 1", " WHERE EXISTS (SELECT 1", "", ")", ""},
    {"with", "", "WITH a AS (", "SELECT 1", ") SELECT 1", ""},
    {"first links", "SELECT ", "(", "1", "+1+1+1+1)", ""},
    {"arrays", "SELECT ", "ARRAY[", "1", "]", ""},
    {"rows", "SELECT ", "ROW(1, ", "1", ")", ""},
    {"bodies", "", "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC ", "SELECT 1", "; END", ""},
};

std::string Nested(const Shape& shape, int count) {
  std::string sql(shape.before);
  sql += Repeated(shape.again, count);
  sql += shape.middle;
  sql += Repeated(shape.closing, count);
  sql += shape.after;
  return sql;
}

TEST(Bounds, NoShapeOverflowsTheStack) {
  for (const Shape& shape : kShapes) {
    // The largest that is within the bounds, and one far beyond.
    int largest = 1;
    for (int step = 1024; step > 0; step /= 2) {
      const Depth depth = DepthOf(Nested(shape, largest + step));
      if (depth.depth <= kMaxDepth && depth.nesting <= kMaxNesting) largest += step;
    }
    EXPECT_LE(largest, 1024) << shape.name << " has no bound";
    FactsOf(Nested(shape, largest));
    EXPECT_NE(FactsOf(Nested(shape, 20'000)).not_understood, "") << shape.name;
  }
}

TEST(Bounds, ChainsAtEveryNestingAddUp) {
  std::string sql = "SELECT " + Repeated("(", 199) + "1";
  for (int i = 0; i < 199; ++i) sql += "+1+1+1+1+1+1)";
  EXPECT_GT(DepthOf(sql).depth, kMaxDepth);
  EXPECT_NE(FactsOf(sql).not_understood, "");
}

TEST(Bounds, TermsWithoutEndAreNotUnderstood) {
  const Facts facts = FactsOf("SELECT 1" + Repeated("+1", 25'000));
  EXPECT_EQ(facts.not_understood, "too many tokens");
  EXPECT_EQ(facts.effects, kUnseen | kWrites);
}

TEST(Bounds, WideIsNotDeep) {
  const std::string row = "(-1, 'a' || 'b', 2.5, now()),";
  EXPECT_EQ(FactsOf("INSERT INTO t VALUES " + Repeated(row, 2000) + "(1)").not_understood, "");
  EXPECT_EQ(FactsOf("SELECT * FROM t WHERE a IN (" + Repeated("-1,", 15'000) + "1)").not_understood,
            "");
  EXPECT_EQ(FactsOf("SELECT * FROM t WHERE a = 1" + Repeated(" OR a = 1 AND b <= 2", 5000))
                .not_understood,
            "");
  EXPECT_EQ(FactsOf(Repeated("SELECT 1 + 1 UNION SELECT 2;", 4000)).statements.size(), 4000u);
}

TEST(Bounds, SmallThreadStacksAreEnough) {
  std::string fault = "not run";
  std::thread thread(
      [&fault] { fault = FactsOf("SELECT 1" + Repeated("+1", 900)).not_understood; });
  thread.join();
  EXPECT_EQ(fault, "");
}

TEST(Bounds, LongLiteralsCostNoParse) {
  std::string sql = "INSERT INTO t VALUES ('";
  sql.append(size_t{8} << 20, 'x');
  sql += "')";
  EXPECT_EQ(FactsOf(sql).not_understood, "");
}

// Grows the stack by so many frames of a kilobyte.
int Descend(int frames) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(frames);
  return frames == 0 ? frame[0] : Descend(frames - 1) + frame[0] * 0;
}

TEST(BigStack, HoldsWhatAThreadsOwnDoesNot) {
  int result = -1;
  OnBigStack([&result] { result = Descend(40'000); });
  EXPECT_EQ(result, 0);
  ReleaseBigStack();
  OnBigStack([&result] { result = Descend(40'000) + 1; });
  EXPECT_EQ(result, 1);
}

TEST(BigStack, EachThreadHasItsOwn) {
  std::string faults[4];
  std::thread threads[4];
  for (int i = 0; i < 4; ++i) {
    threads[i] = std::thread([&fault = faults[i]] {
      for (int n = 0; n < 50; ++n) {
        fault += FactsOf("SELECT 1" + Repeated("+1", n)).not_understood;
        fault += FactsOf("SELEC 1").not_understood.empty() ? "understood" : "";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& fault : faults) EXPECT_EQ(fault, "");
}

}  // namespace
}  // namespace pgweir::router
