#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

// pg_ident.conf: MAP SYSTEM-USER DATABASE-USER a line. It says which names outside, of a
// certificate or of the operating system, may log in as which user.

namespace pgweir::config {

class IdentMaps {
 public:
  // Whether the system's user may be `user` by this map. Without a map ("") the names must be the
  // same.
  bool Allows(std::string_view map, std::string_view system_user, std::string_view user) const;
  bool Has(std::string_view map) const;
  size_t size() const { return lines_.size(); }

 private:
  friend StatusOr<IdentMaps> ParseIdentMaps(std::string_view text, const std::string& path);
  struct Line {
    std::string map;
    std::string system_user;
    std::string user;
    bool any_user = false;  // "all"
  };
  std::vector<Line> lines_;
};

// Errors read "FILE:LINE:COLUMN: ...", one line each. Regular expressions and groups are refused.
StatusOr<IdentMaps> LoadIdentMaps(const std::string& path);
StatusOr<IdentMaps> ParseIdentMaps(std::string_view text, const std::string& path);

}  // namespace pgweir::config
