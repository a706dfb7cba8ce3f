#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"

namespace pgweir::report {

// The bytes of a log from front to back, unpacked where they are gzip's.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // At most so many bytes; 0 at the end.
  virtual StatusOr<size_t> Read(char* to, size_t size) = 0;

  // Bytes taken from the file so far, as they lie there.
  virtual uint64_t consumed() const = 0;
};

// "-" is the standard input. Whether it is gzip is seen from the first two bytes, not the name.
StatusOr<std::unique_ptr<ByteSource>> OpenSource(const std::string& path);

}  // namespace pgweir::report
