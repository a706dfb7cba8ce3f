#pragma once

#include <mutex>
#include <string>

#include "base/status.h"
#include "spdlog/sinks/base_sink.h"

namespace pgweir {

// Where log lines are appended, one write each, so that nothing is kept back when the process dies.
// Unlike spdlog's own files it can be opened anew, as those who rotate logs want it.
class LogFile : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LogFile(std::string path) : path_(std::move(path)) {}
  ~LogFile() override;
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  Status Reopen();

 private:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

  const std::string path_;
  int fd_ = -1;  // guarded by the base's mutex
};

}  // namespace pgweir
