#pragma once

#include <string>

#include "absl/functional/function_ref.h"
#include "config/hba.h"
#include "net/task.h"
#include "proxy/authentication.h"
#include "proxy/client.h"
#include "proxy/user_secrets.h"

namespace pgweir::proxy {

// One login by a password, in one of the ways to show that one knows it. Everything that it is made
// of outlives it.
class PasswordLogin {
 public:
  PasswordLogin(Client& client, SessionHost& host, const Snapshot& snapshot,
                const wire::StartupMessage& startup);

  // `method` is kPassword, kMd5 or kScramSha256.
  net::Task<StatusOr<Proof>> Run(config::HbaMethod method);

 private:
  net::Task<StatusOr<Proof>> Clear();
  net::Task<StatusOr<Proof>> Md5();
  net::Task<StatusOr<Proof>> Scram();

  // Sends a request and waits for the client's answer to it.
  net::Task<StatusOr<std::string>> Ask(std::string request);
  net::Task<StatusOr<std::string>> ReadAnswer();
  // Whether the secret fits, or else the one that the database has now.
  net::Task<bool> Fits(absl::FunctionRef<bool(const std::string&)> fits);
  // Null when the user has none that is good.
  const std::string* secret() const;
  UserSecrets::Asking asking() const;
  Status WrongPassword() const;
  Proof MakeProof() const;

  Client& client_;
  SessionHost& host_;
  const Snapshot& snapshot_;
  const wire::StartupMessage& startup_;
  UserSecrets::Found found_;
};

}  // namespace pgweir::proxy
