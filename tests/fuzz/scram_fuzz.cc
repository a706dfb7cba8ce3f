#include <algorithm>

#include "base/check.h"
#include "wire/base64.h"
#include "wire/saslprep.h"
#include "wire/scram.h"

// The input up to its first line feed is the client's first message, the rest the final one. No
// input may log in: nobody knows a key for a mock verifier.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pgweir::wire;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\n'), input.size());
  const std::string_view first = input.substr(0, end);
  const std::string_view final = input.substr(std::min(end + 1, input.size()));

  static const ScramVerifier verifier = MockScramVerifier("nobody", "secret");
  ScramServer server(verifier, "server");
  const auto answer = server.First(first);
  PGWEIR_CHECK(!answer.ok() || answer->size() < 1200);
  PGWEIR_CHECK(!server.Final(final).ok());
  for (const bool plus : {false, true}) {
    ScramServer bound(verifier, "server", {.server_end_point = "hash", .plus_selected = plus});
    (void)bound.First(first);
    PGWEIR_CHECK(!bound.Final(final).ok());
  }

  if (const auto stored = ParseScramVerifier(input); stored.ok()) {
    PGWEIR_CHECK(ParseScramVerifier(FormatScramVerifier(*stored)).ok());
  }
  if (const auto bytes = Base64Decode(input); bytes.has_value()) {
    PGWEIR_CHECK(Base64Encode(*bytes) == input);
  }
  (void)SaslPrep(input);
  return 0;
}
