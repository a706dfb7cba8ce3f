#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "wire/hashed_login.h"

namespace pgweir::wire {

// The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677) by keys in place of the password. Pure:
// bytes in, bytes out. Call First, Final and Check, once each and in this order.
class ScramClient {
 public:
  // `gs2_header` is "n,,", "y,,", or "p=tls-server-end-point,,", which goes with the hash of the
  // server's certificate as `binding`. `nonce` is the client's part, printable and without a comma.
  ScramClient(ScramLoginRef login, std::string gs2_header, std::string_view binding,
              std::string nonce);

  std::string First();

  // server-first-message -> client-final-message. Fails with 28P01 when the server's verifier has
  // another salt or iteration count than ours, as no proof of ours would fit; 08P01 when the
  // message is malformed or the nonce does not begin with ours.
  StatusOr<std::string> Final(std::string_view server_first);

  // Whether the server knows the verifier too: 28P01 when its signature is wrong or it refuses.
  Status Check(std::string_view server_final) const;

 private:
  const ScramLoginRef login_;
  const std::string gs2_header_;
  const std::string nonce_;
  const std::string binding_;  // base64 of header and binding, as c= says it
  std::string auth_message_;
};

}  // namespace pgweir::wire
