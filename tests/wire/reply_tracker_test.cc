#include "wire/reply_tracker.h"

#include <string_view>

#include "gtest/gtest.h"
#include "wire/protocol.h"

namespace pgweir::wire {
namespace {

using Answers = ReplyTracker::Answers;

// A conversation in letters. Requests: Q F P B E C S as in the protocol, d and p for Describe of a
// statement and a portal, c for CopyDone or CopyFail. Replies: their types, and I T E as the status
// behind each Z.
class Conversation {
 public:
  Conversation& Send(std::string_view requests, Answers answers = Answers::kForward) {
    for (const char c : requests) tracker_.OnRequest(RequestOf(c), answers);
    return *this;
  }

  Conversation& Receive(std::string_view replies) {
    for (size_t i = 0; i < replies.size(); ++i) {
      const char type = replies[i];
      const auto status =
          type == 'Z' ? static_cast<TransactionStatus>(replies[++i]) : TransactionStatus::kIdle;
      const bool forward = tracker_.OnReply(type, status) == ReplyTracker::Verdict::kForward;
      verdicts_ += forward ? type : '-';
    }
    return *this;
  }

  ReplyTracker& tracker() { return tracker_; }
  // One character for each reply: its type if it is for the client, else '-'.
  const std::string& verdicts() const { return verdicts_; }

  bool Idle() const {
    EXPECT_FALSE(tracker_.idle() && (tracker_.outstanding() || tracker_.pending() > 0));
    return tracker_.idle() && !tracker_.desynchronised();
  }

 private:
  static Request RequestOf(char c) {
    switch (c) {
      case 'Q':
        return Request::kQuery;
      case 'F':
        return Request::kFunctionCall;
      case 'P':
        return Request::kParse;
      case 'B':
        return Request::kBind;
      case 'd':
        return Request::kDescribeStatement;
      case 'p':
        return Request::kDescribePortal;
      case 'E':
        return Request::kExecute;
      case 'C':
        return Request::kClose;
      case 'S':
        return Request::kSync;
      default:
        return Request::kCopyEnd;
    }
  }

  ReplyTracker tracker_;
  std::string verdicts_;
};

TEST(ReplyTracker, IsIdleAtFirst) {
  Conversation c;
  EXPECT_TRUE(c.Idle());
  EXPECT_FALSE(c.tracker().outstanding());
}

TEST(ReplyTracker, QueryFunctionCallAndSyncHaveOneReadyForQueryEachRule31) {
  for (const std::string_view request : {"Q", "F", "S"}) {
    Conversation c;
    EXPECT_FALSE(c.Send(request).Idle()) << request;
    EXPECT_TRUE(c.Receive("ZI").Idle()) << request;
  }
  Conversation c;
  EXPECT_FALSE(c.Send("QSF").Receive("CZIZI").Idle());
  EXPECT_TRUE(c.Receive("VZI").Idle());
}

TEST(ReplyTracker, AnswersWithoutSyncLeaveTheBatchOpenRule31Rule36) {
  Conversation c;
  c.Send("PBE").Receive("12C");
  EXPECT_FALSE(c.tracker().outstanding());
  EXPECT_FALSE(c.tracker().between_requests());
  EXPECT_FALSE(c.Idle());
  EXPECT_TRUE(c.Send("S").Receive("ZI").Idle());
}

TEST(ReplyTracker, AnExtendedBatchIsAnsweredInOrderRule32) {
  Conversation c;
  c.Send("PdBpECS");
  const std::string_view replies = "1tT2TDDC3";
  for (size_t i = 0; i < replies.size(); ++i) {
    EXPECT_FALSE(c.Receive(replies.substr(i, 1)).Idle()) << i;
    EXPECT_FALSE(c.tracker().desynchronised()) << i;
  }
  EXPECT_TRUE(c.Receive("ZI").Idle());
  EXPECT_EQ(c.verdicts(), "1tT2TDDC3Z");
}

TEST(ReplyTracker, IsNotIdleWhileALaterRequestIsOutstandingRule32) {
  Conversation c;
  EXPECT_FALSE(c.Send("QQ").Receive("CZI").Idle());
  EXPECT_EQ(c.tracker().pending(), 1u);
  EXPECT_TRUE(c.Receive("CZI").Idle());
  EXPECT_FALSE(c.Send("QPBE").Receive("CZI").Idle());
}

TEST(ReplyTracker, AnErrorDropsTheRestOfTheBatchRule33) {
  Conversation c;
  EXPECT_FALSE(c.Send("PBpES").Receive("1E").Idle());
  EXPECT_EQ(c.tracker().pending(), 1u);
  EXPECT_FALSE(c.tracker().skipping());
  EXPECT_TRUE(c.Receive("ZI").Idle());
}

TEST(ReplyTracker, AnErrorDropsWhatIsSentUntilTheNextSyncRule33) {
  Conversation c;
  c.Send("P").Receive("E");
  EXPECT_TRUE(c.tracker().skipping());
  c.Send("BpEPBEC");
  EXPECT_FALSE(c.tracker().outstanding());
  EXPECT_FALSE(c.Idle());
  EXPECT_TRUE(c.Send("S").Receive("ZI").Idle());
  EXPECT_FALSE(c.tracker().skipping());
  EXPECT_TRUE(c.Send("PBES").Receive("12CZI").Idle());
}

TEST(ReplyTracker, EveryRequestOfABatchMayFailRule33) {
  const std::string_view answers[] = {"1", "tn", "2", "T", "C", "3"};
  std::string before;
  for (const std::string_view answer : answers) {
    Conversation c;
    EXPECT_TRUE(c.Send("PdBpECSQ").Receive(before + "EZICZI").Idle()) << before;
    before += answer;
  }
  Conversation at_sync;  // a deferred constraint
  EXPECT_TRUE(at_sync.Send("PBESQ").Receive("12CEZICZI").Idle());
}

TEST(ReplyTracker, AnErrorOfAQueryIsFollowedByItsReadyForQueryRule34) {
  Conversation c;
  EXPECT_FALSE(c.Send("QP").Receive("CEZI").Idle());
  EXPECT_FALSE(c.tracker().skipping());
  EXPECT_EQ(c.tracker().pending(), 1u);
  EXPECT_TRUE(c.Send("S").Receive("1ZI").Idle());
  EXPECT_TRUE(c.Send("F").Receive("EZI").Idle());
}

TEST(ReplyTracker, CountsEverySyncRule35) {
  Conversation c;
  c.Send("PBESPBESPBES").Receive("12CZI12E");
  EXPECT_FALSE(c.Receive("ZI").Idle());
  EXPECT_TRUE(c.Receive("12CZI").Idle());
  EXPECT_EQ(c.verdicts(), "12CZ12EZ12CZ");
  EXPECT_FALSE(c.Send("SSS").Receive("ZIZI").Idle());
  EXPECT_TRUE(c.Receive("ZI").Idle());
}

TEST(ReplyTracker, StaysLinkedInATransactionRule37) {
  Conversation c;
  EXPECT_FALSE(c.Send("Q").Receive("CZT").Idle());
  EXPECT_TRUE(c.tracker().between_requests());
  EXPECT_EQ(c.tracker().status(), TransactionStatus::kInTransaction);
  EXPECT_FALSE(c.Send("Q").Receive("EZE").Idle());
  EXPECT_EQ(c.tracker().status(), TransactionStatus::kFailed);
  EXPECT_TRUE(c.Send("Q").Receive("CZI").Idle());
}

TEST(ReplyTracker, AQueryInsideABatchHasItsOwnReadyForQueryRule38) {
  Conversation c;
  EXPECT_FALSE(c.Send("PBEQPBES").Receive("12CTDCZI").Idle());
  EXPECT_TRUE(c.Receive("12CZI").Idle());
}

TEST(ReplyTracker, AQueryInsideAFailedBatchHasNoneRule38) {
  Conversation sent_before;
  EXPECT_TRUE(sent_before.Send("PBEQFS").Receive("1EZI").Idle());
  Conversation sent_after;
  EXPECT_TRUE(sent_after.Send("P").Receive("E").Send("QFS").Receive("ZI").Idle());
}

TEST(ReplyTracker, AQueryOfSeveralStatementsHasOneReadyForQueryRule39) {
  Conversation c;
  EXPECT_FALSE(c.Send("Q").Receive("CTDDCICTC").Idle());
  EXPECT_FALSE(c.tracker().desynchronised());
  EXPECT_TRUE(c.Receive("ZI").Idle());
}

TEST(ReplyTracker, AnEmptyQueryIsAnsweredInPlaceOfCommandCompleteRule40) {
  Conversation c;
  EXPECT_TRUE(c.Send("Q").Receive("IZI").Idle());
  EXPECT_TRUE(c.Send("PBpES").Receive("12nIZI").Idle());
}

TEST(ReplyTracker, ASuspendedPortalCompletesItsExecuteOnlyRule52) {
  Conversation c;
  EXPECT_FALSE(c.Send("PBE").Receive("12DDs").Idle());
  EXPECT_FALSE(c.tracker().outstanding());
  EXPECT_TRUE(c.Send("ES").Receive("DCZI").Idle());
}

TEST(ReplyTracker, DescribeOfAStatementHasTwoAnswersRule53) {
  for (const std::string_view second : {"T", "n"}) {
    Conversation c;
    EXPECT_EQ(c.Send("dS").Receive("t").tracker().pending(), 2u);
    EXPECT_EQ(c.Receive(second).tracker().pending(), 1u);
    EXPECT_TRUE(c.Receive("ZI").Idle());
  }
  Conversation portal;
  EXPECT_EQ(portal.Send("pS").Receive("n").tracker().pending(), 1u);
  Conversation wrong;
  EXPECT_TRUE(wrong.Send("pS").Receive("t").tracker().desynchronised());
}

TEST(ReplyTracker, CopyInOfAQueryEndsWithCopyDoneRule56) {
  Conversation c;
  c.Send("Q").Receive("G");
  EXPECT_TRUE(c.tracker().copy_in());
  EXPECT_TRUE(c.tracker().outstanding());
  c.Send("S");  // the server reads and ignores it
  EXPECT_TRUE(c.tracker().copy_in());
  EXPECT_FALSE(c.Send("c").tracker().copy_in());
  EXPECT_FALSE(c.Receive("C").Idle());
  EXPECT_TRUE(c.Receive("ZI").Idle());
}

TEST(ReplyTracker, SeveralCopiesInOneQueryRule56) {
  Conversation c;
  c.Send("Q").Receive("G").Send("c").Receive("CG");
  EXPECT_TRUE(c.tracker().copy_in());
  EXPECT_TRUE(c.Send("c").Receive("CZI").Idle());
}

TEST(ReplyTracker, CopyDoneMayBeSentBeforeTheServerAsksRule56) {
  Conversation c;
  c.Send("Qc").Receive("G");
  EXPECT_FALSE(c.tracker().copy_in());
  EXPECT_TRUE(c.Receive("CZI").Idle());
  EXPECT_TRUE(c.Send("PBEcS").Receive("12GCZI").Idle());
}

TEST(ReplyTracker, ASyncBeforeCopyDoneIsNotAnsweredRule57) {
  Conversation before_g;
  before_g.Send("PBpES").Receive("12nG");
  EXPECT_TRUE(before_g.tracker().copy_in());
  EXPECT_EQ(before_g.tracker().pending(), 1u);
  EXPECT_FALSE(before_g.Send("cS").Receive("C").Idle());
  EXPECT_TRUE(before_g.Receive("ZI").Idle());

  Conversation after_g;
  EXPECT_TRUE(after_g.Send("PBE").Receive("12G").Send("ScS").Receive("CZI").Idle());
}

TEST(ReplyTracker, WithoutALaterSyncTheBatchStaysOpenRule57) {
  Conversation c;
  EXPECT_FALSE(c.Send("PBES").Receive("12G").Send("c").Receive("C").Idle());
  EXPECT_FALSE(c.tracker().outstanding());
}

TEST(ReplyTracker, AnErrorEndsCopyInRule58) {
  Conversation simple;
  EXPECT_FALSE(simple.Send("Q").Receive("GE").tracker().copy_in());
  EXPECT_TRUE(simple.Receive("ZI").Idle());

  Conversation extended;
  EXPECT_TRUE(extended.Send("PBE").Receive("12GE").tracker().skipping());
  EXPECT_FALSE(extended.tracker().copy_in());
  EXPECT_TRUE(extended.Send("cS").Receive("ZI").Idle());
}

TEST(ReplyTracker, ALateCopyDoneHasNoAnswerRule58) {
  Conversation before_ready;
  EXPECT_TRUE(before_ready.Send("Q").Receive("GE").Send("c").Receive("ZI").Idle());

  Conversation before_error;
  EXPECT_TRUE(before_error.Send("Q").Receive("G").Send("c").Receive("EZI").Idle());

  // The server ignores it, so it is as idle as before.
  Conversation after_ready;
  EXPECT_TRUE(after_ready.Send("Q").Receive("GEZI").Send("c").Idle());
  EXPECT_TRUE(after_ready.Send("Q").Receive("CZI").Idle());

  Conversation in_transaction;
  in_transaction.Send("Q").Receive("CZT").Send("Q").Receive("GEZE").Send("c");
  EXPECT_TRUE(in_transaction.tracker().between_requests());
}

TEST(ReplyTracker, ALateCopyDoneDoesNotEndTheNextCopyRule58) {
  Conversation c;
  c.Send("Q").Receive("GE").Send("cQ").Receive("ZIG");
  EXPECT_TRUE(c.tracker().copy_in());
  EXPECT_TRUE(c.Send("c").Receive("CZI").Idle());
}

// Which of the Syncs sent during a COPY the server has ignored is unknown once the COPY fails:
// every one that it reads after the error is answered, so a ReadyForQuery may be on its way still.
TEST(ReplyTracker, ASyncDuringACopyThatFailsLeavesDoubtRule57Rule58) {
  Conversation c;
  c.Send("PBE").Receive("12G").Send("ScS").Receive("EZI");
  EXPECT_FALSE(c.Idle());
}

TEST(ReplyTracker, CopyFailIsAnsweredWithAnErrorRule59) {
  Conversation simple;
  EXPECT_TRUE(simple.Send("Q").Receive("G").Send("c").Receive("EZI").Idle());
  Conversation extended;
  EXPECT_TRUE(extended.Send("PBE").Receive("12G").Send("cS").Receive("EZI").Idle());
  Conversation without_sync;
  EXPECT_FALSE(without_sync.Send("PBE").Receive("12G").Send("c").Receive("E").Idle());
  EXPECT_TRUE(without_sync.tracker().skipping());
}

TEST(ReplyTracker, CopyOutEndsWithCommandCompleteRule60) {
  Conversation simple;
  EXPECT_FALSE(simple.Send("Q").Receive("HddcC").Idle());
  EXPECT_TRUE(simple.Receive("ZI").Idle());
  Conversation extended;
  EXPECT_FALSE(extended.Send("PBES").Receive("12Hddc").Idle());
  EXPECT_EQ(extended.tracker().pending(), 2u);
  EXPECT_TRUE(extended.Receive("CZI").Idle());
}

TEST(ReplyTracker, CopyBothIsNotIdleUntilReadyForQueryRule61) {
  Conversation c;
  EXPECT_FALSE(c.Send("Q").Receive("Wdd").Idle());
  EXPECT_FALSE(c.tracker().desynchronised());
  EXPECT_TRUE(c.Send("c").Receive("cCZI").Idle());
}

// Rule 62 to 64: they answer nothing.
TEST(ReplyTracker, AsynchronousMessagesCompleteNothingRule62Rule63Rule64) {
  Conversation c;
  c.Send("PBES").Receive("N1S2ANSCNZI");
  EXPECT_TRUE(c.Idle());
  EXPECT_TRUE(c.Receive("NSA").Idle());
  EXPECT_EQ(c.verdicts(), "N1S2ANSCNZNSA");
}

TEST(ReplyTracker, AnythingElseFromAnIdleServerIsOutOfStepRule65) {
  for (const char type : std::string_view("12tTnCIsDGHWdcVZ3")) {
    Conversation c;
    c.Receive(type == 'Z' ? "ZI" : std::string(1, type));
    EXPECT_TRUE(c.tracker().desynchronised()) << type;
    EXPECT_FALSE(c.Idle()) << type;
  }
}

TEST(ReplyTracker, AnswersOutOfTurnAreOutOfStepRule65) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"P", "2"},   {"P", "3"}, {"P", "C"}, {"P", "ZI"}, {"B", "1"}, {"E", "T"}, {"E", "n"},
      {"Q", "1"},   {"Q", "2"}, {"Q", "3"}, {"Q", "n"},  {"Q", "s"}, {"Q", "t"}, {"S", "C"},
      {"BS", "ZI"}, {"p", "t"}, {"d", "T"}, {"P", "G"},  {"S", "G"}};
  for (const auto& [requests, replies] : cases) {
    Conversation c;
    EXPECT_TRUE(c.Send(requests).Receive(replies).tracker().desynchronised())
        << requests << ' ' << replies;
    EXPECT_FALSE(c.Idle());
  }
}

TEST(ReplyTracker, StaysOutOfStepForGood) {
  Conversation c;
  EXPECT_FALSE(c.Receive("ZI").Send("Q").Receive("CZI").Idle());
}

TEST(ReplyTracker, SwallowsTheAnswersOfOwnRequestsOnly) {
  Conversation c;
  c.Send("Q", Answers::kSwallow).Send("Q");
  EXPECT_TRUE(c.tracker().swallowing());
  c.Receive("SNCZI");
  EXPECT_FALSE(c.tracker().swallowing());
  c.Receive("TDCZI");
  EXPECT_EQ(c.verdicts(), "----TDCZ");
  EXPECT_TRUE(c.Idle());
}

TEST(ReplyTracker, SwallowsErrorsOfOwnRequestsButNoNotifications) {
  Conversation c;
  c.Send("Q", Answers::kSwallow).Receive("AEZI").Send("Q").Receive("EZI");
  EXPECT_EQ(c.verdicts(), "A--EZ");
  EXPECT_TRUE(c.Idle());
}

TEST(ReplyTracker, KeepsCountOverLongPipelines) {
  Conversation c;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 200; ++i) c.Send("BES");
    for (int i = 0; i < 150; ++i) c.Receive("2CZI");
  }
  EXPECT_EQ(c.tracker().pending(), 3u * 50 * 50);
  EXPECT_FALSE(c.Idle());
  for (int i = 0; i < 50 * 50; ++i) c.Receive("2CZI");
  EXPECT_TRUE(c.Idle());
}

}  // namespace
}  // namespace pgweir::wire
