#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

namespace pgweir::config {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class CacheSection : public ConfigTest {};

struct BadValue {
  std::string text;
  std::string message;
};

TEST_F(CacheSection, ReadsTheCachesRulesInTheirOrder) {
  const Config config = Good(R"(
[cache]
max_bytes = "1GiB"
max_entry_bytes = "64KiB"
[[cache.rules]]
tables = ["candles", "public.trades"]
mode = "shadow"
ttl = "30s"
empty_ttl = "0s"
stale_while_revalidate = "2s"
stale_if_error = "1h"
allow_stable = true
key_settings = ["app.tenant"]
verify = 0.01
[[cache.rules]]
digest = "00ff00ff00ff00aB"
mode = "off"
verify = 1
[[cache.rules]]
pattern = "^select .* from candles"
)");
  EXPECT_EQ(config.cache.max_bytes, uint64_t{1} << 30);
  EXPECT_EQ(config.cache.max_entry_bytes, 65536u);
  ASSERT_EQ(config.cache.rules.size(), 3u);
  const CacheRule expected{.tables = {"candles", "public.trades"},
                           .digest = std::nullopt,
                           .pattern = "",
                           .mode = CacheMode::kShadow,
                           .ttl = seconds(30),
                           .empty_ttl = seconds(0),
                           .stale_while_revalidate = seconds(2),
                           .stale_if_error = seconds(3600),
                           .allow_stable = true,
                           .key_settings = {"app.tenant"},
                           .verify = 0.01};
  EXPECT_EQ(config.cache.rules[0], expected);
  EXPECT_EQ(config.cache.rules[1].digest, 0x00ff00ff00ff00abu);
  EXPECT_EQ(config.cache.rules[1].mode, CacheMode::kOff);
  EXPECT_EQ(config.cache.rules[1].verify, 1.0);
  EXPECT_EQ(config.cache.rules[2].pattern, "^select .* from candles");
}

TEST_F(CacheSection, CachesNothingWithoutARule) {
  const Config config = Good("");
  EXPECT_TRUE(config.cache.rules.empty());
}

TEST_F(CacheSection, SaysWhatIsWrongWithTheCache) {
  const std::string rule = "[[cache.rules]]\n";
  const std::string tables = rule + "tables = [\"t\"]\n";
  const BadValue cases[] = {
      {"[cache]\nmax_bytes = 1024", "pgweir.toml:2:13: cache.max_bytes: must be a size such as"},
      {"[cache]\nmax_bytes = \"1000KiB\"",
       "pgweir.toml:2:13: cache.max_bytes: must be at least \"1024KiB\""},
      {"[cache]\nmax_entry_bytes = \"1GiB\"",
       "pgweir.toml:2:19: cache.max_entry_bytes: must be at most max_bytes"},
      {"[cache]\nrules = 1", "pgweir.toml:2:9: cache.rules: must be a list of tables"},
      {"[cache]\nrules = [1]", "pgweir.toml:2:10: cache.rules: must be a table"},
      {rule + "ttl = \"5s\"",
       "pgweir.toml:1:1: cache.rules: must have one of tables, digest and pattern"},
      {tables + "digest = \"0123456789abcdef\"",
       "pgweir.toml:1:1: cache.rules: must have one of tables, digest and pattern"},
      {rule + "tables = []", "pgweir.toml:2:10: cache.rules.tables: must have a table"},
      {rule + "tables = [\"a.b.c\"]", "cache.rules.tables: \"a.b.c\" must be the name of a table"},
      {rule + "tables = [\".t\"]", "must be the name of a table, or \"SCHEMA.TABLE\""},
      {rule + "digest = \"123\"",
       "pgweir.toml:2:10: cache.rules.digest: must be 16 hexadecimal digits"},
      {rule + "digest = \"-123456789abcdef\"", "must be 16 hexadecimal digits"},
      {rule + "pattern = \"(\"",
       "pgweir.toml:2:11: cache.rules.pattern: is no regular expression: missing )"},
      {rule + "pattern = \"(a)\\\\1\"", "is no regular expression: invalid escape sequence"},
      {rule + "pattern = \"\"", "cache.rules.pattern: must not be empty"},
      {tables + "ttl = \"0s\"", "pgweir.toml:3:7: cache.rules.ttl: must be at least \"1ms\""},
      {tables + "mode = \"maybe\"", "cache.rules.mode: must be one of \"on\", \"shadow\", \"off\""},
      {tables + "verify = 1.5", "cache.rules.verify: must be a number from 0.0 to 1.0"},
      {tables + "verify = nan", "cache.rules.verify: must be a number from 0.0 to 1.0"},
      {tables + "verify = \"1\"", "cache.rules.verify: must be a number from 0.0 to 1.0"},
      {tables + "tll = \"5s\"",
       "pgweir.toml:3:1: unknown key cache.rules.tll; did you mean cache.rules.ttl?"},
  };
  for (const BadValue& bad : cases)
    EXPECT_THAT(Fault(bad.text), HasSubstr(bad.message)) << bad.text;
}

}  // namespace
}  // namespace pgweir::config
