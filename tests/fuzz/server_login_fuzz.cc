#include "wire/server_login.h"

#include "base/check.h"

// The first byte chooses what is known of the password and whether there is a channel to bind to;
// the rest is what a server says. Whole or byte by byte, it must mean the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pgweir::wire;
  if (size == 0) return 0;
  static const auto scram = std::make_shared<ScramLogin>(MakeScramVerifier("pencil", "salt", 1),
                                                         MakeScramClientKey("pencil", "salt", 1));
  const HashedLogin known = (data[0] & 1) != 0
                                ? HashedLogin(ScramLoginRef(scram))
                                : HashedLogin(Md5Login{"md5" + std::string(32, '0')});
  const ServerLogin::ChannelBinding binding{.server_end_point = (data[0] & 2) != 0 ? "hash" : "",
                                            .required = (data[0] & 4) != 0};
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);

  ServerLogin whole(known, binding, "nonce");
  std::string in = input, out;
  const auto at_once = whole.Take(in, out);
  PGWEIR_CHECK(!at_once.ok() || !*at_once || whole.authenticated());

  ServerLogin piecemeal(known, binding, "nonce");
  std::string pieces, answers;
  pgweir::StatusOr<bool> ready = false;
  for (size_t i = 0; i < input.size() && ready.ok() && !*ready; ++i) {
    pieces += input[i];
    ready = piecemeal.Take(pieces, answers);
  }
  PGWEIR_CHECK(ready.ok() == at_once.ok() && answers == out);
  PGWEIR_CHECK(!ready.ok() || (*ready == *at_once && piecemeal.process_id() == whole.process_id()));
  return 0;
}
