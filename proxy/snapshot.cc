#include "proxy/snapshot.h"

#include <openssl/rand.h>

#include <array>

#include "absl/strings/match.h"
#include "base/check.h"
#include "base/strings.h"
#include "config/loader.h"
#include "pooler/connector.h"

namespace pgweir::proxy {
namespace {

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  PGWEIR_CHECK(
      RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);
  return bytes;
}

// Of the process, so that an unknown user's salt survives reloads.
const std::string& MockSecret() {
  static const std::string secret = RandomBytes(32);
  return secret;
}

}  // namespace

SecretKind KindOf(std::string_view secret) {
  if (absl::StartsWith(ToAbsl(secret), "SCRAM-SHA-256$")) return SecretKind::kScram;
  if (secret.size() == 35 && absl::StartsWith(ToAbsl(secret), "md5")) return SecretKind::kMd5;
  return SecretKind::kPlain;
}

StatusOr<std::shared_ptr<const Snapshot>> Snapshot::Load(const std::string& config_path) {
  auto snapshot = std::make_shared<Snapshot>();
  auto config = config::Load(config_path);
  if (!config.ok()) return config.status();
  snapshot->config_ = std::move(*config);
  for (const auto& [name, database] : snapshot->config_.databases) {
    const auto user = pooler::UserIn(database.node.primary);
    if (user.ok()) continue;
    return Errorf(sqlstate::kConfigFileError, "{}: databases.{}: {}", config_path, name,
                  MessageOf(user.status()));
  }
  if (!snapshot->config_.auth.users_file.empty()) {
    auto users = config::LoadUsers(snapshot->config_.auth.users_file);
    if (!users.ok()) return users.status();
    snapshot->users_ = std::move(*users);
  }
  const config::Tls& tls = snapshot->config_.listen.tls;
  if (tls.mode != config::TlsMode::kDisable) {
    const bool verify =
        tls.mode == config::TlsMode::kVerifyCa || tls.mode == config::TlsMode::kVerifyFull;
    auto context = net::TlsContext::Load(
        tls.certificate, tls.key, tls.ca,
        verify ? net::TlsContext::Verify::kClientCertificate : net::TlsContext::Verify::kNone);
    if (!context.ok()) return context.status();
    snapshot->tls_ = std::move(*context);
  }
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

std::shared_ptr<const Snapshot> Snapshot::With(config::Config config) const {
  auto snapshot = std::make_shared<Snapshot>(*this);
  snapshot->config_ = std::move(config);
  return snapshot;
}

wire::ScramVerifier Snapshot::VerifierFor(const std::string& user) const {
  const std::string* secret = users_.Find(user);
  if (secret == nullptr || secret->empty()) return wire::MockScramVerifier(user, MockSecret());
  switch (KindOf(*secret)) {
    case SecretKind::kMd5:
      return wire::MockScramVerifier(user, MockSecret());
    case SecretKind::kScram: {
      auto verifier = wire::ParseScramVerifier(*secret);
      return verifier.ok() ? *std::move(verifier) : wire::MockScramVerifier(user, MockSecret());
    }
    case SecretKind::kPlain:
      break;
  }
  {
    MutexLock lock(derived_->mutex);
    const auto it = derived_->verifiers.find(user);
    if (it != derived_->verifiers.end()) return it->second;
  }
  auto verifier = wire::MakeScramVerifier(*secret, RandomBytes(16), wire::kScramDefaultIterations);
  MutexLock lock(derived_->mutex);
  return derived_->verifiers.emplace(user, std::move(verifier)).first->second;
}

}  // namespace pgweir::proxy
