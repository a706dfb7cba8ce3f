#include "report/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "fmt/format.h"

namespace pgweir::report {
namespace {

constexpr auto kPause = std::chrono::milliseconds(100);
constexpr int kBarWidth = 30;

}  // namespace

Progress::Progress(uint64_t whole) : whole_(whole), visible_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (visible_) std::fputs("\r\x1b[K", stderr);
}

void Progress::Show(uint64_t done) {
  if (!visible_) return;
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + kPause;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double megabytes = static_cast<double>(done) / 1e6;
  std::string bar;
  if (whole_ > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(whole_));
    const int full = static_cast<int>(share * kBarWidth);
    bar = fmt::format("[{:=<{}}{:{}}] {:3.0f} %  ", "", full, "", kBarWidth - full, share * 100);
  }
  fmt::print(stderr, "\r\x1b[K{}{:.0f} MB  {:.0f} MB/s", bar, megabytes,
             seconds > 0 ? megabytes / seconds : 0);
  std::fflush(stderr);
}

}  // namespace pgweir::report
