#include "proxy/answer_capture.h"

#include <gtest/gtest.h>

#include "wire/message_writer.h"

namespace pgweir::proxy {
namespace {

using namespace std::string_view_literals;

std::string Message(char type, std::string_view body) {
  std::string out;
  wire::MessageWriter message(out, type);
  message.Raw(body);
  return out;
}

const std::string kDescription = Message('T', "columns");
const std::string kRow = Message('D', "a row");
const std::string kTag = Message('C', "SELECT 2\0"sv);
const std::string kReady = Message('Z', "I");

// As one piece, and byte by byte.
enum class Pieces { kOne, kMany };
class Capture : public testing::TestWithParam<Pieces> {
 protected:
  static AnswerCapture Take(std::string_view bytes, size_t max_bytes = 1000) {
    AnswerCapture capture;
    capture.Begin(max_bytes);
    EXPECT_FALSE(capture.begun());
    const size_t step = GetParam() == Pieces::kOne ? bytes.size() : 1;
    for (size_t at = 0; at < bytes.size(); at += step) {
      capture.Take(wire::AsBytes(bytes.substr(at, step)));
    }
    return capture;
  }
};

TEST_P(Capture, KeepsTheRows) {
  const AnswerCapture capture = Take(kDescription + kRow + kRow + kTag + kReady);
  EXPECT_TRUE(capture.begun());
  EXPECT_TRUE(capture.complete());
  EXPECT_FALSE(capture.given_up());
  EXPECT_EQ(capture.row_description, kDescription);
  EXPECT_EQ(capture.rows, kRow + kRow);
  EXPECT_EQ(capture.tag, "SELECT 2");
  EXPECT_EQ(capture.row_count, 2u);
}

TEST_P(Capture, KeepsAnswersOfBatchesAndEmptyOnes) {
  const std::string before = Message('1', "") + Message('2', "");
  const AnswerCapture batch = Take(before + kRow + kTag + kReady);
  EXPECT_TRUE(batch.complete());
  EXPECT_EQ(batch.row_description, "");
  EXPECT_EQ(batch.rows, kRow);
  const AnswerCapture empty = Take(before + kDescription + kTag + kReady);
  EXPECT_TRUE(empty.complete());
  EXPECT_EQ(empty.row_count, 0u);
  EXPECT_TRUE(Take(kDescription + Message('D', "") + kTag + kReady).complete());
}

// Situation 55: they are no part of the answer.
TEST_P(Capture, LeavesNotificationsOut) {
  const std::string notification = Message('A', "\0\0\0\1x\0y\0"sv);
  const AnswerCapture capture =
      Take(notification + kDescription + notification + kRow + notification + kTag + kReady);
  EXPECT_TRUE(capture.complete());
  EXPECT_EQ(capture.rows, kRow);
  EXPECT_EQ(capture.row_description, kDescription);
}

// Situations 53, 54, 56.
TEST_P(Capture, GivesUpOnWhatIsNoSuchAnswer) {
  for (const char type : {'N', 'S', 'E', 'G', 'H', 'I', 's', 'n', 't', 'd'}) {
    const AnswerCapture capture =
        Take(kDescription + kRow + Message(type, "something") + kTag + kReady);
    EXPECT_FALSE(capture.complete()) << type;
    EXPECT_TRUE(capture.given_up()) << type;
    EXPECT_EQ(capture.failed(), type == 'E') << type;
    EXPECT_FALSE(capture.too_long());
    EXPECT_EQ(capture.rows, "") << "its memory is given back";
  }
}

// Situations 33 and 35: what is read within a transaction.
TEST_P(Capture, GivesUpWhereTheTransactionIsNotAsExpected) {
  for (const char* status : {"T", "E"}) {
    const AnswerCapture capture = Take(kDescription + kRow + kTag + Message('Z', status));
    EXPECT_FALSE(capture.complete());
    EXPECT_TRUE(capture.given_up());
  }
  for (const char* status : {"I", "T", "E"}) {
    AnswerCapture capture;
    capture.Begin(1000, wire::TransactionStatus::kInTransaction);
    const std::string answer = kDescription + kRow + kTag + Message('Z', status);
    capture.Take(wire::AsBytes(answer));
    EXPECT_EQ(capture.complete(), *status == 'T') << status;
  }
}

// Situation 57.
TEST_P(Capture, IsCompleteAtItsEndOnly) {
  const std::string whole = kDescription + kRow + kTag + kReady;
  for (size_t size = 0; size < whole.size(); ++size) {
    const AnswerCapture capture = Take(std::string_view(whole).substr(0, size));
    EXPECT_FALSE(capture.complete()) << size;
    EXPECT_FALSE(capture.given_up()) << size;
  }
  EXPECT_FALSE(Take(kReady).complete()) << "of nothing";
}

// Situation 60.
TEST_P(Capture, GivesUpOnWhatIsTooLong) {
  const std::string row = Message('D', std::string(100, 'r'));
  EXPECT_TRUE(Take(kDescription + row + kTag + kReady, 200).complete());
  for (const std::string& answer :
       {kDescription + row + row + row + kTag + kReady,
        kDescription + Message('D', std::string(5000, 'r')) + kTag + kReady,
        Message('T', std::string(5000, 't')) + kRow + kTag + kReady}) {
    const AnswerCapture capture = Take(answer, 200);
    EXPECT_TRUE(capture.given_up());
    EXPECT_TRUE(capture.too_long());
    EXPECT_FALSE(capture.complete());
    EXPECT_FALSE(capture.failed());
    EXPECT_EQ(capture.rows, "");
  }
}

TEST_P(Capture, BeginsAnew) {
  AnswerCapture capture = Take(kDescription + kRow + Message('E', "x"));
  EXPECT_TRUE(capture.given_up());
  capture.Begin(1000);
  EXPECT_FALSE(capture.given_up());
  EXPECT_FALSE(capture.failed());
  capture.Take(wire::AsBytes(kDescription + kRow + kTag + kReady));
  EXPECT_TRUE(capture.complete());
  EXPECT_EQ(capture.row_count, 1u);
}

INSTANTIATE_TEST_SUITE_P(Each, Capture, testing::Values(Pieces::kOne, Pieces::kMany),
                         [](const testing::TestParamInfo<Pieces>& info) {
                           return info.param == Pieces::kOne ? "AtOnce" : "ByteByByte";
                         });

}  // namespace
}  // namespace pgweir::proxy
