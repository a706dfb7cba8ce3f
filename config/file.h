#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"

namespace pgweir::config {

// The content of a regular file of at most `max_bytes`. The error says why not, without the path;
// a pipe or device, which could block a reload for ever, is refused.
StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes);

// Whether the file could be read now.
Status CheckReadable(const std::string& path);

// Gives a file, or the one that a link leads to, this content, its mode and owner kept. Whoever
// reads it, after a crash too, sees the old content or the new one, whole.
Status ReplaceFile(const std::string& path, std::string_view content);

}  // namespace pgweir::config
