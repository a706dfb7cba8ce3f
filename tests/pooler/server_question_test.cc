#include "pooler/server_question.h"

#include <gtest/gtest.h>

namespace pgweir::pooler {
namespace {

using std::chrono::milliseconds;
using Rows = std::vector<std::vector<std::string>>;

TEST(ServerAnswer, OfAPrimaryHasItsTimelineInHexadecimal) {
  const auto answer =
      ReadServerAnswer(Rows{{"f", "7300000000000000000", "x0000001A", "16/B374D848", "", ""}});
  ASSERT_TRUE(answer.ok()) << MessageOf(answer.status());
  EXPECT_FALSE(answer->in_recovery);
  EXPECT_EQ(answer->system_id, 7300000000000000000u);
  EXPECT_EQ(answer->timeline, 26u);
  EXPECT_EQ(answer->lsn, 0x16B374D848u);
  EXPECT_EQ(answer->received, 0u);
  EXPECT_FALSE(answer->since_replay.has_value());
}

TEST(ServerAnswer, OfAReplicaHasWhatItReceivedAndReplayed) {
  const auto answer = ReadServerAnswer(Rows{{"t", "-5", "2", "0/3000060", "0/3000100", "1500"}});
  ASSERT_TRUE(answer.ok()) << MessageOf(answer.status());
  EXPECT_TRUE(answer->in_recovery);
  EXPECT_EQ(answer->timeline, 2u);
  EXPECT_EQ(answer->lsn, 0x3000060u);
  EXPECT_EQ(answer->received, 0x3000100u);
  EXPECT_EQ(answer->since_replay, Duration(milliseconds(1500)));
}

TEST(ServerAnswer, ClockAheadOfTheReplicasIsNoLag) {
  const auto answer = ReadServerAnswer(Rows{{"t", "5", "2", "0/1", "0/1", "-20"}});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->since_replay, Duration::zero());
}

TEST(ServerAnswer, ReplicaThatHasJustStartedKnowsNothing) {
  const auto answer = ReadServerAnswer(Rows{{"t", "5", "1", "", "", ""}});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->lsn, 0u);
  EXPECT_FALSE(answer->since_replay.has_value());
}

TEST(ServerAnswer, NonsenseIsAnError) {
  for (const Rows& rows :
       {Rows{}, Rows{{"f"}}, Rows{{"f", "5", "x1", "", "", ""}},
        Rows{{"f", "5", "", "0/1", "", ""}}, Rows{{"f", "a", "x1", "0/1", "", ""}},
        Rows{{"f", "5", "x1", "01", "", ""}}, Rows{{"f", "5", "x1", "0/1G", "", ""}}}) {
    EXPECT_FALSE(ReadServerAnswer(rows).ok());
  }
}

TEST(ServerAnswer, OnlySomeFailuresSayThatTheServerIsDown) {
  for (const char* state : {"08001", "08006", "57P01", "57P03", "58000"}) {
    EXPECT_TRUE(SaysServerIsDown(Error(state, ""))) << state;
  }
  for (const char* state : {"28P01", "28000", "3D000", "53300", "42501"}) {
    EXPECT_FALSE(SaysServerIsDown(Error(state, ""))) << state;
  }
}

}  // namespace
}  // namespace pgweir::pooler
