#include "config/file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace pgweir::config {
namespace {

using testing::HasSubstr;

class ReplacedFile : public testing::Test {
 protected:
  ReplacedFile() {
    std::string path = testing::TempDir() + "/replaced-XXXXXX";
    folder_ = mkdtemp(path.data());
    file_ = folder_ + "/a.toml";
    std::ofstream(file_) << "old";
  }
  ~ReplacedFile() override { std::filesystem::remove_all(folder_); }

  std::string Content() { return ReadFile(file_, 1000).value_or("none"); }
  size_t FilesInFolder() {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_),
                                             std::filesystem::directory_iterator()));
  }

  std::string folder_, file_;
};

TEST_F(ReplacedFile, KeepsItsMode) {
  ASSERT_EQ(chmod(file_.c_str(), 0640), 0);
  ASSERT_TRUE(ReplaceFile(file_, "new").ok());
  EXPECT_EQ(Content(), "new");
  struct stat info{};
  ASSERT_EQ(stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  EXPECT_EQ(FilesInFolder(), 1u);
}

TEST_F(ReplacedFile, KeepsItsOwner) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  ASSERT_EQ(chown(file_.c_str(), 1, 2), 0);
  ASSERT_TRUE(ReplaceFile(file_, "new").ok());
  struct stat info{};
  ASSERT_EQ(stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 1u);
  EXPECT_EQ(info.st_gid, 2u);
}

// The one content or the other: whoever has the old file open still reads the old one.
TEST_F(ReplacedFile, IsAnotherFileFromOneMomentOn) {
  std::ifstream open(file_);
  struct stat before{}, after{};
  ASSERT_EQ(stat(file_.c_str(), &before), 0);
  ASSERT_TRUE(ReplaceFile(file_, "new").ok());
  ASSERT_EQ(stat(file_.c_str(), &after), 0);
  EXPECT_NE(before.st_ino, after.st_ino);
  std::string content;
  open >> content;
  EXPECT_EQ(content, "old");
}

TEST_F(ReplacedFile, IsTheOneThatALinkLeadsTo) {
  const std::string link = folder_ + "/link.toml";
  ASSERT_EQ(symlink("a.toml", link.c_str()), 0);
  ASSERT_TRUE(ReplaceFile(link, "new").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(Content(), "new");
}

TEST_F(ReplacedFile, LeavesNothingBehindWhenItCannotBe) {
  EXPECT_THAT(MessageOf(ReplaceFile(folder_ + "/none.toml", "new")),
              HasSubstr("cannot be written"));
  std::filesystem::create_directory(folder_ + "/sub");
  EXPECT_THAT(MessageOf(ReplaceFile(folder_ + "/sub", "new")), HasSubstr("cannot be written"));
  EXPECT_EQ(FilesInFolder(), 2u);
  EXPECT_EQ(Content(), "old");
}

}  // namespace
}  // namespace pgweir::config
