#include "report/line_reader.h"

#include <algorithm>
#include <cstring>

namespace pgweir::report {
namespace {

constexpr size_t kFirstCapacity = 1024 * 1024;

std::unique_ptr<char[]> NewBuffer(size_t capacity) {
  return std::make_unique<char[]>(capacity + LogLineParser::kPadding);
}

}  // namespace

LineReader::LineReader(ByteSource& source)
    : source_(source), capacity_(kFirstCapacity), buffer_(NewBuffer(capacity_)) {}

StatusOr<bool> LineReader::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity_) {
    auto larger = NewBuffer(capacity_ * 2);
    std::memcpy(larger.get(), buffer_.get(), end_);
    buffer_ = std::move(larger);
    capacity_ *= 2;
  }
  const auto got = source_.Read(buffer_.get() + end_, capacity_ - end_);
  if (!got.ok()) return got.status();
  end_ += *got;
  bytes_ += *got;
  return *got > 0;
}

// Behind the end of a line that began at begin_ and of which kMaxLine bytes are known.
StatusOr<LineReader::Outcome> LineReader::PassOver() {
  for (;;) {
    begin_ = end_ = 0;
    const auto more = Fill();
    if (!more.ok()) return more.status();
    if (!*more) return Outcome::kTooLong;
    const void* const newline = std::memchr(buffer_.get(), '\n', end_);
    if (newline == nullptr) continue;
    begin_ = static_cast<const char*>(newline) - buffer_.get() + 1;
    return Outcome::kTooLong;
  }
}

StatusOr<LineReader::Outcome> LineReader::Next() {
  ++number_;
  size_t looked_at = 0;  // bytes of the line without a newline
  for (;;) {
    const char* const start = buffer_.get() + begin_;
    const void* const newline = std::memchr(start + looked_at, '\n', end_ - begin_ - looked_at);
    if (newline != nullptr) {
      line_ = {start, static_cast<size_t>(static_cast<const char*>(newline) - start)};
      begin_ += line_.size() + 1;
      return Outcome::kLine;
    }
    looked_at = end_ - begin_;
    if (looked_at >= kMaxLine) return PassOver();
    const auto more = Fill();
    if (!more.ok()) return more.status();
    if (*more) continue;
    if (begin_ == end_) return Outcome::kEnd;
    line_ = {buffer_.get() + begin_, end_ - begin_};
    begin_ = end_;
    return Outcome::kLine;
  }
}

}  // namespace pgweir::report
