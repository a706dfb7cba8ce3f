#pragma once

#include <string>
#include <string_view>

namespace pgweir::test {

// A folder of its own below /tmp, removed with everything in it when the object goes. Any user may
// enter it: PostgreSQL's servers run as another user when the tests run as root.
class TempFolder {
 public:
  explicit TempFolder(std::string_view purpose);
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

void WriteFile(const std::string& path, std::string_view content);

// Empty when there is no such file.
std::string ReadFile(const std::string& path);

// A loopback port that nobody listens on, below the range that outgoing connections take theirs
// from. Another process may still be faster: who listens on it must be able to try another.
int FreePort();

}  // namespace pgweir::test
