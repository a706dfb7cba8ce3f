#include "tests/support/certificate.h"

#include <sys/stat.h>

#include <stdexcept>

#include "fmt/format.h"
#include "tests/support/child_process.h"

namespace pgweir::test {

void MakeCertificate(const std::string& folder, std::string_view name, std::string_view host,
                     std::string_view digest) {
  std::string key = fmt::format("{}/{}.key", folder, name);
  bool is_address = host.find_first_not_of("0123456789.:") == std::string_view::npos;
  CommandResult result = RunCommand(
      {.argv = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", fmt::format("-{}", digest),
                "-subj", fmt::format("/CN={}", host), "-addext",
                fmt::format("subjectAltName={}:{}", is_address ? "IP" : "DNS", host), "-keyout",
                key, "-out", fmt::format("{}/{}.crt", folder, name)}});
  if (result.status != 0) throw std::runtime_error("openssl: " + result.output);
  ::chmod(key.c_str(), 0600);
}

void ExpireCertificate(const std::string& folder, std::string_view name) {
  const std::string path = fmt::format("{}/{}", folder, name);
  CommandResult result =
      RunCommand({.argv = {"openssl", "x509", "-in", path + ".crt", "-signkey", path + ".key",
                           "-days", "-1", "-out", path + ".crt"}});
  if (result.status != 0) throw std::runtime_error("openssl: " + result.output);
}

}  // namespace pgweir::test
