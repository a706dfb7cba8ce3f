#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

namespace pgweir::config {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class SlowLogSection : public ConfigTest {};

TEST_F(SlowLogSection, ReadsTheKeysAndTheRulesInTheirOrder) {
  const Config config = Good(R"(
[slow_log]
threshold = "0ms"
sample = 0.5
errors = false
redact = "literals"
parameter_max_length = "0B"
statement_max_length = "2KiB"
max_lines_per_second = 0
max_queue_bytes = "1MiB"
rotate_size = "0B"
rotate_age = "0s"
keep = 0
plans = true
plan_interval = "1s"
[[slow_log.rules]]
database = "app"
user = "report"
threshold = "5s"
[[slow_log.rules]]
digest = "00ff00ff00ff00aB"
sample = 1
)");
  SlowLog expected;
  expected.threshold = milliseconds(0);
  expected.sample = 0.5;
  expected.errors = false;
  expected.redact = Redact::kLiterals;
  expected.parameter_max_length = 0;
  expected.statement_max_length = 2048;
  expected.max_lines_per_second = 0;
  expected.max_queue_bytes = uint64_t{1} << 20;
  expected.rotate_size = 0;
  expected.rotate_age = milliseconds(0);
  expected.keep = 0;
  expected.plans = true;
  expected.plan_interval = seconds(1);
  expected.rules = {
      {"app", "report", std::nullopt, seconds(5), std::nullopt},
      {"", "", 0x00ff00ff00ff00abu, std::nullopt, 1.0},
  };
  EXPECT_EQ(config.slow_log, expected);
}

TEST_F(SlowLogSection, SaysWhatIsWrongWithIt) {
  const std::string log = "[slow_log]\n";
  const std::string rule = "[[slow_log.rules]]\n";
  const std::pair<std::string, std::string> cases[] = {
      {log + "threshold = 100", "pgweir.toml:2:13: slow_log.threshold: must be a duration such as"},
      {log + "threshhold = \"1s\"",
       "pgweir.toml:2:1: unknown key slow_log.threshhold; did you mean slow_log.threshold?"},
      {log + "sample = 2", "slow_log.sample: must be a number from 0.0 to 1.0"},
      {log + "redact = \"all\"",
       "slow_log.redact: must be one of \"none\", \"parameters\", \"literals\""},
      {log + "parameter_max_length = \"65MiB\"",
       "slow_log.parameter_max_length: must be at most \"64MiB\""},
      {log + "max_queue_bytes = \"2GiB\"", "slow_log.max_queue_bytes: must be at most \"1GiB\""},
      {log + "rotate_age = \"5s\"", "slow_log.rotate_age: must be \"0s\" or at least \"1m\""},
      {log + "plan_interval = \"999ms\"", "slow_log.plan_interval: must be at least \"1s\""},
      {rule + "threshold = \"1s\"",
       "pgweir.toml:1:1: slow_log.rules: must have a database, a user or a digest"},
      {rule + "user = \"u\"", "slow_log.rules: must have a threshold or a sample"},
      {rule + "digest = \"12\"\nsample = 1",
       "slow_log.rules.digest: must be 16 hexadecimal digits"},
  };
  for (const auto& [text, message] : cases) EXPECT_THAT(Fault(text), HasSubstr(message)) << text;
}

}  // namespace
}  // namespace pgweir::config
