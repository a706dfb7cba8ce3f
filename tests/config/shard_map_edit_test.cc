#include "config/shard_map_edit.h"

#include <gmock/gmock.h>

#include <array>

#include "config/shard_map_diff.h"

namespace pgweir::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::array<std::string, 3> kNodes = {"one", "rest", "two"};

ShardMap Parsed(std::string_view text) {
  auto map = ParseShardMap(text, "s.toml", kNodes);
  EXPECT_TRUE(map.ok()) << MessageOf(map.status());
  return map.ok() ? *map : ShardMap();
}

// The edited text, which has to be a map that is the intended one; "fault: …" else.
std::string Set(std::string_view text, std::string_view pattern, const std::string& node) {
  const ShardMap map = Parsed(text);
  const auto edited = WithPattern(map, pattern, node);
  if (!edited.ok()) return "fault: " + MessageOf(edited.status());
  const auto parsed = ParseShardMap(*edited, "s.toml", kNodes);
  if (!parsed.ok()) return "fault: " + MessageOf(parsed.status());
  return DiffersOnlyIn(*parsed, map, pattern, node) ? *edited : "fault: another map";
}

std::string Drop(std::string_view text, std::string_view pattern) {
  const ShardMap map = Parsed(text);
  const auto edited = WithoutPattern(map, pattern);
  if (!edited.ok()) return "fault: " + MessageOf(edited.status());
  return DiffersOnlyIn(Parsed(*edited), map, pattern, std::nullopt) ? *edited
                                                                    : "fault: another map";
}

constexpr std::string_view kMap = R"(# whose is what
[shards]   # by symbol
"BTC*" = "one"      # the big one
  "ETH*"    = "two"
# all others
"*"    = "rest"     # for now

[tables]
trades = "symbol"   # divided
)";

TEST(ShardMapEdit, ChangesANodeAndNothingElse) {
  std::string expected(kMap);
  expected.replace(expected.find("\"one\""), 5, "\"two\"");
  EXPECT_EQ(Set(kMap, "BTC*", "two"), expected);
  expected = kMap;
  expected.replace(expected.find("\"rest\""), 6, "\"one\"");
  EXPECT_EQ(Set(kMap, "*", "one"), expected);
}

TEST(ShardMapEdit, AddsALineLikeTheLastOfTheOthers) {
  std::string expected(kMap);
  expected.insert(expected.find("# all others"), "  \"SOL*\"    = \"one\"\n");
  EXPECT_EQ(Set(kMap, "SOL*", "one"), expected);
  expected = kMap;
  expected.insert(expected.find("# all others"), "  \"AVERYLONGONE*\" = \"one\"\n");
  EXPECT_EQ(Set(kMap, "AVERYLONGONE*", "one"), expected);
  EXPECT_EQ(Set("[shards]\n\"*\"=\"rest\"", "A", "one"), "[shards]\n\"*\"=\"rest\"\n\"A\"=\"one\"");
  EXPECT_EQ(Set("[shards]\r\n'*' = 'rest' # x\r\n", "A", "one"),
            "[shards]\r\n'*' = 'rest' # x\r\n\"A\" = \"one\"\r\n");
}

TEST(ShardMapEdit, DropsALine) {
  std::string expected(kMap);
  const size_t begin = expected.find("\"BTC*\"");
  expected.erase(begin, expected.find('\n', begin) + 1 - begin);
  EXPECT_EQ(Drop(kMap, "BTC*"), expected);
  EXPECT_EQ(Drop("[shards]\n\"*\" = \"rest\"\n\"A\" = \"one\"", "A"),
            "[shards]\n\"*\" = \"rest\"\n");
  EXPECT_THAT(Drop(kMap, "*"), HasSubstr("can't be dropped"));
  EXPECT_EQ(Drop(kMap, "SOL*"), "fault: s.toml: has no pattern \"SOL*\"");
  EXPECT_EQ(Drop(Set(kMap, "SOL*", "one"), "SOL*"), kMap);
}

TEST(ShardMapEdit, QuotesWhateverAPatternHas) {
  for (const std::string pattern :
       {"a\"b*", "back\\slash", "tab\there", "#*", "= \"", "Bé€𝄞*", "'", "[shards]", "\x7f"}) {
    const std::string text = Set(kMap, pattern, "one");
    ASSERT_THAT(text, testing::Not(testing::StartsWith("fault"))) << pattern;
    const std::string moved = Set(text, pattern, "two");
    EXPECT_EQ(moved.size(), text.size()) << moved;
    EXPECT_EQ(Drop(moved, pattern), kMap) << pattern;
  }
}

TEST(ShardMapEdit, FindsPlacesBehindLettersOfSeveralBytes) {
  constexpr std::string_view kText =
      "# é€𝄞\n[shards]\n\"é€*\" = \"one\" # é\n'𝄞' = '''one'''\n\"*\" = \"rest\"\n";
  EXPECT_EQ(Set(kText, "é€*", "two"),
            "# é€𝄞\n[shards]\n\"é€*\" = \"two\" # é\n'𝄞' = '''one'''\n\"*\" = \"rest\"\n");
  EXPECT_EQ(Set(kText, "𝄞", "two"),
            "# é€𝄞\n[shards]\n\"é€*\" = \"one\" # é\n'𝄞' = \"two\"\n\"*\" = \"rest\"\n");
}

TEST(ShardMapEdit, RefusesWhatTheLoaderRefuses) {
  EXPECT_THAT(Set(kMap, "SOL*", "three"),
              HasSubstr("s.toml:5:15: shards.\"SOL*\": must be the name of a node"));
  EXPECT_THAT(Set(kMap, "S*L", "one"), HasSubstr("with one star at its end"));
  EXPECT_THAT(Set(kMap, "", "one"), HasSubstr("must be a symbol"));
  EXPECT_THAT(Set(kMap, std::string("a\0b", 3), "one"), HasSubstr("must be a symbol"));
  EXPECT_THAT(Set(kMap, "\xff", "one"), HasSubstr("not valid TOML"));
}

// A layout that a line of its own doesn't fit into is left alone.
TEST(ShardMapEdit, RefusesOddLayouts) {
  EXPECT_THAT(Set("shards = { \"*\" = \"rest\" }\n", "A", "one"), HasSubstr("edit it by hand"));
  EXPECT_THAT(Drop("shards = { \"A\" = \"one\", \"*\" = \"rest\" }\n", "A"),
              HasSubstr("edit it by hand"));
  EXPECT_THAT(Set("shards.\"*\" = \"rest\"\n", "A", "one"), testing::StartsWith("fault"));
  EXPECT_EQ(Set("shards = { \"*\" = \"rest\" }\n", "*", "one"), "shards = { \"*\" = \"one\" }\n");
}

TEST(ShardMapDiff, TellsWhoseSymbolsMove) {
  const ShardMap before = Parsed(
      "[shards]\n\"*\"=\"rest\"\n\"B*\"=\"one\"\n\"BTC*\"=\"two\"\nETH=\"two\"\nADA=\"rest\"");
  const ShardMap after =
      Parsed("[shards]\n\"*\"=\"rest\"\n\"B*\"=\"one\"\nETH=\"one\"\n\"SOL*\"=\"two\"\nBX=\"one\"");
  EXPECT_THAT(PatternMoves(before, after),
              ElementsAre(PatternMove{"ETH", "two", "one"}, PatternMove{"SOL*", "rest", "two"},
                          PatternMove{"BTC*", "two", "one"}));
  EXPECT_EQ(Describe(PatternMoves(before, after)),
            "3 patterns: two to one (ETH, \"BTC*\"), rest to two (\"SOL*\")");
  EXPECT_THAT(PatternMoves(before, before), IsEmpty());
}

TEST(ShardMapDiff, IsABoundedText) {
  std::vector<PatternMove> moves;
  for (int i = 0; i < 7; ++i) moves.push_back({fmt::format("P{}", i), "a", "b"});
  EXPECT_EQ(Describe(moves), "7 patterns: a to b (P0, P1, P2, P3, P4 and 2 more)");
}

}  // namespace
}  // namespace pgweir::config
