#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "config/config.h"

namespace pgweir::observe {

// The file that the slow-query log is appended to, and its older ones: slow.json.1 is the newest of
// them. For one thread, which its calls may block on the disk.
class SlowLogFile {
 public:
  ~SlowLogFile() { Close(); }
  SlowLogFile() = default;
  SlowLogFile(const SlowLogFile&) = delete;
  SlowLogFile& operator=(const SlowLogFile&) = delete;

  // Lines that follow go by these. Of `options` the path and what rotates count.
  void Configure(const config::SlowLog& options);
  // The next line opens the file anew: it may have been moved away.
  void Close();

  // How many bytes of `lines` (whole lines, each with its newline) the file took. When those are
  // not all, fault() says why, and nothing of the rest is kept.
  size_t Append(std::string_view lines, TimePoint now);
  const Status& fault() const { return fault_; }

 private:
  bool Open(TimePoint now);
  bool IsDue(TimePoint now) const;
  void Rotate();
  bool WriteAll(std::string_view bytes, size_t& written);
  void Fail(std::string_view what);

  config::SlowLog options_;
  int fd_ = -1;
  bool regular_ = false;
  bool in_line_ = false;  // the last write ended within a line
  uint64_t size_ = 0;
  TimePoint opened_{};
  TimePoint retry_at_{};  // after a failure to open
  Status fault_;
};

}  // namespace pgweir::observe
