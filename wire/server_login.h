#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "wire/hashed_login.h"
#include "wire/parameters.h"
#include "wire/protocol.h"
#include "wire/scram_client.h"

namespace pgweir::wire {

// The client's side of a start-up, from behind the StartupMessage up to the first ReadyForQuery
// (PostgreSQL documentation, "Start-up"), by a hash of the password. Pure: bytes in, bytes out.
class ServerLogin {
 public:
  struct ChannelBinding {
    std::string server_end_point = {};  // hash of the server's certificate; "" = none to bind to
    bool required = false;
  };

  // `nonce` is for SCRAM, see ScramClient.
  ServerLogin(HashedLogin login, ChannelBinding binding, std::string nonce);

  // Takes whole messages off the front of `in` and appends what to answer to `out`. True when the
  // server is ready; whatever is left of `in` then came behind that. An error is the server's own
  // with its SQLSTATE, 28000 or 28P01 for a login that can't be, 08P01 for what no server says.
  StatusOr<bool> Take(std::string& in, std::string& out);

  // The server has let us in: what it refuses from here on is not the login.
  bool authenticated() const { return authenticated_; }
  // The error is the server's own.
  bool refused() const { return refused_; }
  const Parameters& parameters() const { return parameters_; }
  // Of BackendKeyData, which a server need not send.
  uint32_t process_id() const { return process_id_; }
  const std::string& cancel_key() const { return cancel_key_; }

 private:
  Status TakeMessage(char type, Bytes body, std::string& out);
  Status OnAuthentication(Bytes body, std::string& out);
  Status OnMd5(std::string_view salt, std::string& out);
  Status OnSasl(std::string_view mechanisms, std::string& out);

  const HashedLogin login_;
  const ChannelBinding binding_;
  const std::string nonce_;
  std::optional<ScramClient> scram_;
  bool challenged_ = false;  // SCRAM's second step was taken
  bool bound_ = false;       // SCRAM bound to the TLS channel
  bool proven_ = false;      // the server has shown that it knows the secret too
  bool authenticated_ = false;
  bool ready_ = false;
  bool refused_ = false;
  Parameters parameters_;
  uint32_t process_id_ = 0;
  std::string cancel_key_;
};

}  // namespace pgweir::wire
