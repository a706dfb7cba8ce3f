#include "wire/saslprep.h"

#include <stringprep.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace pgweir::wire {
namespace {

struct Free {
  void operator()(char* p) const { std::free(p); }
};

// Bounds the work: normalisation can make eighteen characters of one.
constexpr size_t kLongest = 1024;

bool IsAscii(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
}

}  // namespace

std::string SaslPrep(std::string_view password) {
  std::string raw(password);
  if (IsAscii(password) || password.size() > kLongest ||
      password.find('\0') != std::string_view::npos)
    return raw;
  char* prepared = nullptr;
  const int rc = stringprep_profile(raw.c_str(), &prepared, "SASLprep", STRINGPREP_NO_UNASSIGNED);
  const std::unique_ptr<char, Free> owner(prepared);
  if (rc != STRINGPREP_OK || prepared == nullptr || *prepared == '\0') return raw;
  return prepared;
}

}  // namespace pgweir::wire
