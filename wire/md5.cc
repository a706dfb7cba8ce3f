#include "wire/md5.h"

#include "wire/hash.h"

namespace pgweir::wire {
namespace {
constexpr std::string_view kPrefix = "md5";
}

std::string Md5Secret(std::string_view password, std::string_view user) {
  return std::string(kPrefix) += Md5Hex(std::string(password) += user);
}

std::string Md5Response(std::string_view md5_secret, std::string_view salt4) {
  if (md5_secret.starts_with(kPrefix)) md5_secret.remove_prefix(kPrefix.size());
  return std::string(kPrefix) += Md5Hex(std::string(md5_secret) += salt4);
}

}  // namespace pgweir::wire
