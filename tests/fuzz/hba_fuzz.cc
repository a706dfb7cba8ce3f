#include <string_view>

#include "base/check.h"
#include "config/hba.h"
#include "config/ident_map.h"

// What stands in a file of rules or of ident maps: reading ends in rules that can be asked, or in
// an error that names the file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pgweir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  const auto maps = config::ParseIdentMaps(text, "ident");
  PGWEIR_CHECK(maps.ok() || MessageOf(maps.status()).rfind("ident:", 0) == 0);
  if (maps.ok()) (void)maps->Allows("map", "system", "user");

  const auto rules = config::ParseHba(text, "hba");
  if (!rules.ok()) {
    PGWEIR_CHECK(MessageOf(rules.status()).rfind("hba:", 0) == 0);
    return 0;
  }
  config::HbaRequest request;
  request.user = "user";
  request.database = "database";
  for (const char* address : {"", "10.1.2.3", "::1"}) {
    request.address = IpAddress::Parse(address);
    request.encrypted = !request.encrypted;
    const auto* rule = rules->Find(request, {});
    if (rule == nullptr) continue;
    PGWEIR_CHECK(rule->line >= 1);
    PGWEIR_CHECK(rule->method != config::HbaMethod::kPeer || !request.address.has_value());
    PGWEIR_CHECK(rule->method != config::HbaMethod::kCert || request.encrypted);
  }
  return 0;
}
