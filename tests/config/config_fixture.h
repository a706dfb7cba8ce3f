#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "config/loader.h"

namespace pgweir::config {

inline constexpr std::string_view kDatabase = "\n[databases.app]\nprimary = \"host=h\"\n";

// A folder of its own for the files that a configuration names.
class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = testing::TempDir() + "config.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    Write("users.txt", "\"app\" \"secret\"\n");
  }
  ~ConfigTest() override { std::filesystem::remove_all(folder_); }

  std::string File(std::string_view name) const { return folder_ + "/" + std::string(name); }
  std::string Path() const { return File("pgweir.toml"); }
  void Write(std::string_view name, std::string_view content) const {
    std::ofstream(File(name)) << content;
  }

  StatusOr<Config> ParseText(std::string_view text) const { return Parse(text, Path()); }
  // What `text` with a database behind it becomes.
  Config Good(std::string_view text) const {
    const auto config = ParseText(std::string(text) + std::string(kDatabase));
    EXPECT_TRUE(config.ok()) << text << "\n" << MessageOf(config.status());
    return config.ok() ? *config : Config();
  }
  // The error that `text` with a database behind it gives, without the file's path.
  std::string Fault(std::string_view text) const {
    return FaultOfAll(std::string(text) + std::string(kDatabase));
  }
  std::string FaultOfAll(std::string_view text) const {
    const auto config = ParseText(text);
    if (config.ok()) return "no error";
    EXPECT_EQ(SqlStateOf(config.status()), sqlstate::kConfigFileError);
    std::string message = MessageOf(config.status());
    for (size_t at; (at = message.find(folder_ + "/")) != std::string::npos;) {
      message.erase(at, folder_.size() + 1);
    }
    return message;
  }

 private:
  std::string folder_;
};

}  // namespace pgweir::config
