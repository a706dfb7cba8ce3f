#include "report/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace pgweir::report {
namespace {

constexpr size_t kChunk = 256 * 1024;

class Descriptor {
 public:
  Descriptor(int fd, bool owned) : fd_(fd), owned_(owned) {}
  Descriptor(Descriptor&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), owned_(std::exchange(other.owned_, false)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (owned_) close(fd_);
  }

  StatusOr<size_t> Read(char* to, size_t size) {
    for (;;) {
      const ssize_t got = read(fd_, to, size);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) return Error(sqlstate::kIoError, std::strerror(errno));
    }
  }

 private:
  int fd_;
  bool owned_;
};

// The file as it is, behind the first bytes that have been looked at.
class PlainSource : public ByteSource {
 public:
  PlainSource(Descriptor file, std::string head) : file_(std::move(file)), head_(std::move(head)) {}

  StatusOr<size_t> Read(char* to, size_t size) override {
    if (taken_ < head_.size()) {
      const size_t count = head_.copy(to, size, taken_);
      taken_ += count;
      return count;
    }
    const auto got = file_.Read(to, size);
    if (got.ok()) taken_ += *got;
    return got;
  }

  uint64_t consumed() const override { return taken_; }

 private:
  Descriptor file_;
  const std::string head_;
  uint64_t taken_ = 0;
};

// gzip's members one after the other, as `cat a.gz b.gz` makes them.
class GzipSource : public ByteSource {
 public:
  explicit GzipSource(std::unique_ptr<PlainSource> packed) : packed_(std::move(packed)) {
    // 16: gzip's header and no other. Fails only without memory.
    usable_ = inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK;
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override { inflateEnd(&stream_); }

  StatusOr<size_t> Read(char* to, size_t size) override;
  uint64_t consumed() const override { return packed_->consumed() - stream_.avail_in; }

 private:
  // Whether there is more to unpack.
  StatusOr<bool> Refill();
  Status Damaged(std::string_view how) const;

  const std::unique_ptr<PlainSource> packed_;
  z_stream stream_{};
  bool usable_ = false;
  bool inside_member_ = false;
  std::array<char, kChunk> buffer_;
};

Status GzipSource::Damaged(std::string_view how) const {
  return Errorf(sqlstate::kIoError, "{} at byte {} of the packed file", how, consumed());
}

StatusOr<bool> GzipSource::Refill() {
  if (stream_.avail_in > 0) return true;
  const auto got = packed_->Read(buffer_.data(), buffer_.size());
  if (!got.ok()) return got.status();
  stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
  stream_.avail_in = static_cast<uInt>(*got);
  return *got > 0;
}

StatusOr<size_t> GzipSource::Read(char* to, size_t size) {
  if (!usable_) return Damaged("zlib can't be used");
  stream_.next_out = reinterpret_cast<Bytef*>(to);
  stream_.avail_out = static_cast<uInt>(std::min<size_t>(size, kChunk));
  const size_t wanted = stream_.avail_out;
  while (stream_.avail_out == wanted) {
    const auto more = Refill();
    if (!more.ok()) return more.status();
    if (!*more) {
      if (inside_member_) return Damaged("the gzip stream ends too early");
      return size_t{0};
    }
    inside_member_ = true;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      inside_member_ = false;
      inflateReset(&stream_);
    } else if (result != Z_OK) {
      return Damaged("the gzip stream is damaged");
    }
  }
  return wanted - stream_.avail_out;
}

StatusOr<Descriptor> Open(const std::string& path) {
  if (path == "-") return Descriptor(STDIN_FILENO, false);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error(sqlstate::kIoError, std::strerror(errno));
  Descriptor file(fd, true);
  struct stat status{};
  if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
    return Error(sqlstate::kIoError, "is a folder; name the files in it");
  }
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return file;
}

}  // namespace

StatusOr<std::unique_ptr<ByteSource>> OpenSource(const std::string& path) {
  auto file = Open(path);
  if (!file.ok()) return file.status();
  std::string head;
  // A pipe may give one byte at a time.
  while (head.size() < 2) {
    char byte;
    const auto got = file->Read(&byte, 1);
    if (!got.ok()) return got.status();
    if (*got == 0) break;
    head += byte;
  }
  const bool packed = head == "\x1f\x8b";
  auto plain = std::make_unique<PlainSource>(*std::move(file), std::move(head));
  if (!packed) return std::unique_ptr<ByteSource>(std::move(plain));
  return std::unique_ptr<ByteSource>(std::make_unique<GzipSource>(std::move(plain)));
}

}  // namespace pgweir::report
