#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "report/byte_source.h"
#include "report/log_line.h"

namespace pgweir::report {

// The lines of a source. A buffer of 1 MiB grows for a longer line, up to kMaxLine; what is longer
// still is passed over, and said to be.
class LineReader {
 public:
  static constexpr size_t kMaxLine = 8 * 1024 * 1024;

  explicit LineReader(ByteSource& source);

  enum class Outcome { kLine, kTooLong, kEnd };
  // The next line, without its end; LogLineParser::kPadding bytes behind it may be read.
  StatusOr<Outcome> Next();

  // Valid until Next().
  std::string_view line() const { return line_; }
  // The line's number, from 1.
  uint64_t number() const { return number_; }
  // Unpacked bytes read so far.
  uint64_t bytes() const { return bytes_; }

 private:
  // Makes room and reads. False at the end.
  StatusOr<bool> Fill();
  StatusOr<Outcome> PassOver();

  ByteSource& source_;
  size_t capacity_;
  std::unique_ptr<char[]> buffer_;  // capacity_ and the padding
  size_t begin_ = 0, end_ = 0;      // what is unread lies between
  std::string_view line_;
  uint64_t number_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace pgweir::report
