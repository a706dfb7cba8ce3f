// The twin: what many clients are answered through pgweir on few backends is what they are answered
// on connections of their own.

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/proxy/twin_check.h"

namespace pgweir::test {
namespace {

constexpr uint64_t kFixedSeeds = 12;
constexpr uint64_t kFewSeeds = 6;  // of other kinds of databases
constexpr size_t kSteps = 250;

class Twin : public testing::Test {
 protected:
  static void SetUpTestSuite() { runner_ = std::make_unique<TwinRunner>(); }
  static void TearDownTestSuite() { runner_.reset(); }

  static std::unique_ptr<TwinRunner> runner_;
};

std::unique_ptr<TwinRunner> Twin::runner_;

// The harness tells apart nothing that is alike.
TEST_F(Twin, DirectConnectionsAnswerAlikeTwice) {
  for (uint64_t seed = 1; seed <= 4 && !HasFailure(); ++seed)
    ExpectTwin(*runner_, seed, kSteps, std::nullopt);
}

// And it sees what isn't.
TEST_F(Twin, OfTwoRunsSeesAValueThatDiffers) {
  TwinScript script = {{.client = 0,
                        .action = TwinAction::kConnect,
                        .startup = {{"user", "twin"}, {"database", "twin"}}},
                       {.client = 0, .messages = {fe::Query("select pg_backend_pid()")}}};
  std::optional<TwinDifference> difference = runner_->Compare(script, std::nullopt);
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(difference->step, 1u);
  EXPECT_NE(difference->direct, difference->through);
}

TEST_F(Twin, SessionModeAnswersAsTheServerDoes) {
  for (uint64_t seed = 1; seed <= 3 && !HasFailure(); ++seed) {
    ExpectTwin(*runner_, seed, kSteps, "mode = \"session\"\nsize = 20");
  }
}

TEST_F(Twin, TransactionModeAnswersAsTheServerDoesOnFixedSeeds) {
  for (uint64_t seed = 1; seed <= kFixedSeeds && !HasFailure(); ++seed) {
    ExpectTwin(*runner_, seed, kSteps, TwinPool(seed));
  }
}

// Where requests are read one by one, and BEGIN waits for what follows it.
TEST(TwinSharded, DatabaseAnswersAsTheServerDoes) {
  TwinRunner runner(TwinRunner::Database::kSharded);
  for (uint64_t seed = 1; seed <= kFewSeeds && !testing::Test::HasFailure(); ++seed) {
    ExpectTwin(runner, seed, kSteps, TwinPool(seed));
  }
}

// Whatever may be kept is kept, for longer than any script takes.
TEST(TwinCached, DatabaseAnswersAsTheServerDoes) {
  TwinRunner runner(TwinRunner::Database::kCached);
  for (uint64_t seed = 1; seed <= kFewSeeds && !testing::Test::HasFailure(); ++seed) {
    ExpectTwin(runner, seed, kSteps, TwinPool(seed));
  }
}

}  // namespace
}  // namespace pgweir::test
