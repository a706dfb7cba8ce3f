#include <string_view>

#include "base/check.h"
#include "wire/startup.h"

// Whatever opens a connection: decoding ends in a packet or an error, and what was decoded keeps
// the promises of the header.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pgweir::wire;
  const Bytes in = std::as_bytes(std::span(data, size));
  (void)SplitOptions(AsText(in));

  const auto length = StartupLength(in);
  if (length.ok() && *length > in.size()) return 0;
  // The decoder is also to stand a length word that is wrong.
  const auto packet = DecodeStartup(length.ok() ? in.first(*length) : in);
  PGWEIR_CHECK(length.ok() || !packet.ok());
  if (!packet.ok()) return 0;
  if (const auto* cancel = std::get_if<CancelRequest>(&*packet)) {
    PGWEIR_CHECK(cancel->secret.size() >= 4 && cancel->secret.size() <= 256);
  }
  if (const auto* message = std::get_if<StartupMessage>(&*packet)) {
    PGWEIR_CHECK(!message->user.empty() && message->user.size() <= 63);
    PGWEIR_CHECK(!message->database.empty() && message->database.size() <= 63);
  }
  return 0;
}
