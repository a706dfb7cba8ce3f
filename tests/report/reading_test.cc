#include "report/reading.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "report/line_reader.h"
#include "report/totals.h"
#include "tests/report/log_lines.h"

namespace pgweir::report {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

std::string Lines(int count, std::string_view user = "app") {
  std::string text;
  for (int i = 0; i < count; ++i) text += LineOf({.user = user}) + "\n";
  return text;
}

TEST(ReadLogs, AddsUpPlainAndPackedFiles) {
  const LogFolder folder;
  Summary summary;
  const Status read =
      ReadLogs({folder.Write("a.json", Lines(3)), folder.Write("b.gz", Gzip(Lines(4))),
                folder.Write("rotated", Gzip(Lines(2)) + Gzip(Lines(5)))},
               summary);
  ASSERT_TRUE(read.ok()) << MessageOf(read);
  EXPECT_EQ(summary.lines().statements, 14U);
  EXPECT_EQ(summary.lines().broken, 0U);
  EXPECT_TRUE(summary.faults().empty());
  EXPECT_EQ(GrandTotal(summary).time.total, 14U * 4000);
}

TEST(ReadLogs, ReadsTheStandardInput) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string packed = Gzip(Lines(6));
  ASSERT_EQ(write(ends[1], packed.data(), packed.size()), static_cast<ssize_t>(packed.size()));
  close(ends[1]);
  const int saved = dup(STDIN_FILENO);
  dup2(ends[0], STDIN_FILENO);
  Summary summary;
  const Status read = ReadLogs({"-"}, summary);
  dup2(saved, STDIN_FILENO);
  close(saved);
  close(ends[0]);
  ASSERT_TRUE(read.ok()) << MessageOf(read);
  EXPECT_EQ(summary.lines().statements, 6U);
}

TEST(ReadLogs, GivesEachDigestItsNewestPlan) {
  const LogFolder folder;
  const std::string known(LineOptions().digest);
  const std::string file = folder.Write(
      "slow.json", PlanLineOf(known, "Newest", "2026-11-21 10:00:02 UTC") + "\n" + Lines(2) +
                       PlanLineOf(known, "Older", "2026-11-21 10:00:01 UTC") + "\n" +
                       PlanLineOf("00000000000000bb", "Other") + "\n");
  Summary summary;
  ASSERT_TRUE(ReadLogs({file}, summary).ok());
  EXPECT_EQ(summary.lines().statements, 2U);
  EXPECT_EQ(summary.lines().plans, 3U);
  EXPECT_EQ(summary.digests().list().at(1).plan, R"([{"Plan":{"Node Type":"Newest"}}])");
  EXPECT_EQ(DigestTotals(summary, Order::kTotal).size(), 1U);
}

TEST(ReadLogs, CountsWhatIsNoStatementAndNamesBrokenLines) {
  const LogFolder folder;
  const std::string other = R"({"timestamp":"2026-11-21 10:00:00 UTC","message":"checkpoint"})";
  const std::string file = folder.Write(
      "slow.json", "\n" + other + "\n" + Lines(1) + "broken\n\r\n  \n" + Lines(1) + R"({"cut)");
  Summary summary;
  ASSERT_TRUE(ReadLogs({file}, summary).ok());
  EXPECT_EQ(summary.lines().statements, 2U);
  EXPECT_EQ(summary.lines().other, 1U);
  EXPECT_EQ(summary.lines().broken, 2U);
  ASSERT_EQ(summary.faults().size(), 2U);
  EXPECT_EQ(summary.faults()[0].where, file + ":4");
  EXPECT_EQ(summary.faults()[1].where, file + ":8");
}

TEST(ReadLogs, KeepsTheFirstFaultsAndCountsAll) {
  const LogFolder folder;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "broken\n";
  Summary summary;
  ASSERT_TRUE(ReadLogs({folder.Write("slow.json", text)}, summary).ok());
  EXPECT_EQ(summary.lines().broken, 1000U);
  EXPECT_EQ(summary.faults().size(), Summary::kMaxFaults);
}

TEST(ReadLogs, UsesWhatComesBeforeTheDamageOfAPackedFile) {
  const LogFolder folder;
  const std::string text = Lines(20000);
  std::string damaged = Gzip(text);
  const std::string cut = folder.Write("cut.gz", damaged.substr(0, damaged.size() - 20));
  damaged.replace(damaged.size() - 20, 10, "0123456789");
  for (const std::string& file : {cut, folder.Write("damaged.gz", damaged)}) {
    Summary summary;
    ASSERT_TRUE(ReadLogs({file}, summary).ok());
    EXPECT_GT(summary.lines().statements, 10000U);
    ASSERT_FALSE(summary.faults().empty());
    EXPECT_THAT(summary.faults().back().what,
                AllOf(HasSubstr("gzip stream"), EndsWith("what comes before is used")));
  }
}

TEST(ReadLogs, NamesFilesThatCannotBeOpenedBeforeItReadsAny) {
  const LogFolder folder;
  const std::string good = folder.Write("a.json", Lines(1));
  Summary summary;
  const Status missing = ReadLogs({good, "/nowhere/slow.json"}, summary);
  EXPECT_THAT(MessageOf(missing), HasSubstr("/nowhere/slow.json: No such file or directory"));
  EXPECT_THAT(MessageOf(ReadLogs({"/tmp"}, summary)), HasSubstr("/tmp: is a folder"));
  EXPECT_THAT(MessageOf(ReadLogs({"-", "-"}, summary)), HasSubstr("only once"));
  EXPECT_EQ(summary.lines().statements, 0U);
}

TEST(ReadLogs, TakesAnEmptyFile) {
  const LogFolder folder;
  Summary summary;
  EXPECT_TRUE(ReadLogs({folder.Write("empty", ""), folder.Write("one", "x")}, summary).ok());
  EXPECT_EQ(summary.lines().broken, 1U);
}

// As many bytes at a time as a test wants.
class SlowSource : public ByteSource {
 public:
  SlowSource(std::string text, size_t step) : text_(std::move(text)), step_(step) {}
  StatusOr<size_t> Read(char* to, size_t size) override {
    const size_t count = text_.copy(to, std::min(size, step_), at_);
    at_ += count;
    return count;
  }
  uint64_t consumed() const override { return at_; }

 private:
  const std::string text_;
  const size_t step_;
  size_t at_ = 0;
};

TEST(LineReader, GivesTheSameLinesHoweverTheyArrive) {
  for (const size_t step : {1, 2, 3, 5, 100}) {
    SlowSource source("one\n\nthree\r\nlast", step);
    LineReader reader(source);
    std::string seen;
    while (*reader.Next() == LineReader::Outcome::kLine) {
      seen += fmt::format("{}={}|", reader.number(), reader.line());
    }
    EXPECT_EQ(seen, "1=one|2=|3=three\r|4=last|") << step;
  }
}

TEST(LineReader, PassesOverALineThatIsTooLong) {
  const std::string endless(LineReader::kMaxLine + 100, 'x');
  const std::string large(3 << 20, 'y');
  SlowSource source("one\n" + endless + "\n" + large + "\nlast\n" + endless, 64 << 10);
  LineReader reader(source);
  EXPECT_EQ(*reader.Next(), LineReader::Outcome::kLine);
  EXPECT_EQ(*reader.Next(), LineReader::Outcome::kTooLong);
  EXPECT_EQ(*reader.Next(), LineReader::Outcome::kLine);
  EXPECT_EQ(reader.line(), large);
  EXPECT_EQ(reader.number(), 3U);
  EXPECT_EQ(*reader.Next(), LineReader::Outcome::kLine);
  EXPECT_EQ(reader.line(), "last");
  EXPECT_EQ(*reader.Next(), LineReader::Outcome::kTooLong);
  EXPECT_EQ(*reader.Next(), LineReader::Outcome::kEnd);
}

}  // namespace
}  // namespace pgweir::report
