#include "observe/slow_log_writer.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace pgweir::observe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class Writer : public testing::Test {
 protected:
  Writer() {
    std::string pattern = testing::TempDir() + "slow.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    options_.path = Path();
  }
  ~Writer() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& suffix = "") const {
    return folder_ + "/log/slow.json" + suffix;
  }
  static std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  static void Stop(SlowLogWriter& writer) { EXPECT_TRUE(writer.Stop(Clock::now() + seconds(20))); }

  std::string folder_;
  config::SlowLog options_;
  const TimePoint now_ = Clock::now();
};

TEST_F(Writer, AppendsLinesInTheirOrderAndMakesTheFolder) {
  {
    SlowLogWriter writer(options_);
    writer.Submit("a\n", now_);
    writer.Submit("b\n", now_);
    Stop(writer);
    EXPECT_EQ(writer.counters().written, 2u);
  }
  SlowLogWriter again(options_);
  again.Submit("c\n", now_);
  Stop(again);
  EXPECT_EQ(Read(Path()), "a\nb\nc\n");
}

TEST_F(Writer, WritesWhatIsQueuedAtTheEnd) {
  {
    SlowLogWriter writer(options_);
    writer.Submit("a\n", now_);
  }
  EXPECT_EQ(Read(Path()), "a\n");
}

TEST_F(Writer, TakesNothingWithoutAPath) {
  options_.path = "";
  SlowLogWriter writer(options_);
  writer.Submit("a\n", now_);
  Stop(writer);
  EXPECT_EQ(writer.counters().written + writer.counters().failed, 0u);
}

TEST_F(Writer, DropsWhatTheQueueCannotHold) {
  options_.max_queue_bytes = 64 << 10;
  const std::string line = std::string(40 << 10, 'x') + "\n";
  SlowLogWriter writer(options_);
  for (int i = 0; i < 50; ++i) writer.Submit(line, now_);
  Stop(writer);
  const auto counters = writer.counters();
  EXPECT_GT(counters.dropped, 0u);
  EXPECT_GT(counters.written, 0u);
  EXPECT_EQ(counters.dropped + counters.written, 50u);
}

TEST_F(Writer, WritesSoManyLinesASecond) {
  options_.max_lines_per_second = 2;
  SlowLogWriter writer(options_);
  for (int i = 0; i < 5; ++i) writer.Submit("a\n", now_ + milliseconds(i * 200));
  for (int i = 0; i < 3; ++i) writer.Submit("b\n", now_ + milliseconds(1000));
  Stop(writer);
  EXPECT_EQ(Read(Path()), "a\na\nb\nb\n");
  EXPECT_EQ(writer.counters().suppressed, 4u);
}

TEST_F(Writer, CountsWhatAnUnreachableFileLosesAndGoesOnWhenItIsBack) {
  options_.path = folder_ + "/none/log/slow.json";
  SlowLogWriter writer(options_);
  writer.Submit("lost\n", now_);
  while (writer.counters().failed == 0) std::this_thread::sleep_for(milliseconds(5));
  std::filesystem::create_directory(folder_ + "/none");
  writer.Configure(options_);
  writer.Submit("kept\n", now_);
  Stop(writer);
  EXPECT_EQ(Read(options_.path), "kept\n");
  EXPECT_EQ(writer.counters().failed, 1u);
  EXPECT_EQ(writer.counters().written, 1u);
}

TEST_F(Writer, CountsWhatAFullDiskLoses) {
  options_.path = "/dev/full";
  SlowLogWriter writer(options_);
  writer.Submit("a\nb\n", now_);
  Stop(writer);
  EXPECT_EQ(writer.counters().failed, 2u);
}

TEST_F(Writer, OpensTheFileAnewWhenAsked) {
  SlowLogWriter writer(options_);
  writer.Submit("old\n", now_);
  while (writer.counters().written == 0) std::this_thread::sleep_for(milliseconds(5));
  std::filesystem::rename(Path(), Path(".moved"));
  writer.Configure(options_);
  writer.Submit("new\n", now_);
  Stop(writer);
  EXPECT_EQ(Read(Path(".moved")), "old\n");
  EXPECT_EQ(Read(Path()), "new\n");
}

TEST_F(Writer, IsNotHeldByAPipeThatNobodyReads) {
  std::filesystem::create_directory(folder_ + "/log");
  ASSERT_EQ(mkfifo(Path().c_str(), 0600), 0);
  SlowLogWriter writer(options_);
  writer.Submit("a\n", now_);
  Stop(writer);
  EXPECT_EQ(writer.counters().failed, 1u);
}

// The file alone: no thread, and its clock is given.
class File : public Writer {
 protected:
  File() {
    options_.rotate_size = 0;
    options_.rotate_age = milliseconds(0);
  }
};

TEST_F(File, RotatesBySizeAndKeepsSoMany) {
  options_.rotate_size = 4;
  options_.keep = 2;
  SlowLogFile file;
  file.Configure(options_);
  for (const char* lines : {"a\nb\n", "c\nd\n", "e\n", "f\n", "g\n"}) {
    EXPECT_EQ(file.Append(lines, now_), std::string_view(lines).size());
  }
  EXPECT_EQ(Read(Path()), "g\n");
  EXPECT_EQ(Read(Path(".1")), "e\nf\n");
  EXPECT_EQ(Read(Path(".2")), "c\nd\n");
  EXPECT_FALSE(std::filesystem::exists(Path(".3")));
}

TEST_F(File, RotatesByAge) {
  options_.rotate_age = seconds(60);
  SlowLogFile file;
  file.Configure(options_);
  file.Append("a\n", now_);
  file.Append("b\n", now_ + seconds(59));
  file.Append("c\n", now_ + seconds(60));
  file.Append("d\n", now_ + seconds(119));
  EXPECT_EQ(Read(Path(".1")), "a\nb\n");
  EXPECT_EQ(Read(Path()), "c\nd\n");
}

TEST_F(File, KeepsNoneWhenAsked) {
  options_.rotate_size = 2;
  options_.keep = 0;
  SlowLogFile file;
  file.Configure(options_);
  file.Append("a\n", now_);
  file.Append("b\n", now_);
  EXPECT_EQ(Read(Path()), "b\n");
  EXPECT_FALSE(std::filesystem::exists(Path(".1")));
}

TEST_F(File, LeavesAFileThatAnotherProcessHasRotated) {
  options_.rotate_size = 2;
  SlowLogFile file;
  file.Configure(options_);
  file.Append("a\n", now_);
  std::filesystem::rename(Path(), Path(".1"));
  std::ofstream(Path()) << "x\n";
  file.Append("b\n", now_);
  EXPECT_EQ(Read(Path()), "x\nb\n");
  EXPECT_EQ(Read(Path(".1")), "a\n");
}

TEST_F(File, TriesToOpenOnceASecond) {
  options_.path = folder_ + "/none/log/slow.json";
  SlowLogFile file;
  file.Configure(options_);
  EXPECT_EQ(file.Append("a\n", now_), 0u);
  EXPECT_THAT(MessageOf(file.fault()), HasSubstr("cannot open the slow-query log"));
  std::filesystem::create_directory(folder_ + "/none");
  EXPECT_EQ(file.Append("b\n", now_ + milliseconds(999)), 0u);
  EXPECT_EQ(file.Append("c\n", now_ + milliseconds(1000)), 2u);
  EXPECT_TRUE(file.fault().ok());
}

}  // namespace
}  // namespace pgweir::observe
