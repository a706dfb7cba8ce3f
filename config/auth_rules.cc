#include "config/auth_rules.h"

#include <optional>

#include "config/faults.h"
#include "config/file.h"
#include "config/hba.h"
#include "config/ident_map.h"

namespace pgweir::config {
namespace {

using Key = AuthFault::Key;

class Checker {
 public:
  Checker(const Auth& auth, const Listen& listen, const AuthWords& words)
      : auth_(auth), listen_(listen), words_(words) {}

  std::vector<AuthFault> Check() {
    const auto maps = Maps();
    if (auth_.method == AuthMethod::kCert) {
      NeedAuthorities(Key::kMethod, "\"cert\"");
      if (!auth_.ident_map.empty() && maps.has_value() && !maps->Has(auth_.ident_map)) {
        Add(Key::kIdentMap, "ident_file has no such map");
      }
    }
    if (auth_.method == AuthMethod::kHba) CheckHba(maps);
    return std::move(faults_);
  }

 private:
  void Add(Key key, std::string message) { faults_.push_back({key, std::move(message)}); }

  void NeedAuthorities(Key key, std::string_view why) {
    if (listen_.tls.mode != TlsMode::kDisable && !listen_.tls.ca.empty()) return;
    Add(key, fmt::format("{} needs {} that signs the clients' certificates", why, words_.tls));
  }

  // None after a fault.
  std::optional<IdentMaps> Maps() {
    if (auth_.ident_file.empty()) return IdentMaps();
    const Status readable = CheckReadable(auth_.ident_file);
    if (!readable.ok()) {
      Add(Key::kIdentFile, fmt::format("{} {}", auth_.ident_file, MessageOf(readable)));
      return std::nullopt;
    }
    auto maps = LoadIdentMaps(auth_.ident_file);
    if (maps.ok()) return *std::move(maps);
    Add(Key::kOtherFile, MessageOf(maps.status()));
    return std::nullopt;
  }

  void CheckHba(const std::optional<IdentMaps>& maps) {
    if (auth_.hba_file.empty()) {
      return Add(Key::kHbaFile, fmt::format("must name a file for {}", words_.hba_method));
    }
    const Status readable = CheckReadable(auth_.hba_file);
    if (!readable.ok()) {
      return Add(Key::kHbaFile, fmt::format("{} {}", auth_.hba_file, MessageOf(readable)));
    }
    if (maps.has_value()) CheckRules(*maps);
  }

  void CheckRules(const IdentMaps& maps) {
    const auto rules = LoadHba(auth_.hba_file);
    if (!rules.ok()) return Add(Key::kOtherFile, MessageOf(rules.status()));
    if (rules->wants_certificates()) {
      NeedAuthorities(Key::kHbaFile, "a rule that looks at certificates");
    }
    for (const HbaRules::Rule& rule : rules->rules()) {
      if (rule.map.empty() || maps.Has(rule.map)) continue;
      Add(Key::kOtherFile, fmt::format("{}:{}:1: map={}: {} has no such map", auth_.hba_file,
                                       rule.line, ShownKey(rule.map), words_.ident_file));
    }
  }

  const Auth& auth_;
  const Listen& listen_;
  const AuthWords& words_;
  std::vector<AuthFault> faults_;
};

}  // namespace

std::vector<AuthFault> CheckAuthRules(const Auth& auth, const Listen& listen,
                                      const AuthWords& words) {
  return Checker(auth, listen, words).Check();
}

}  // namespace pgweir::config
