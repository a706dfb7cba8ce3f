#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/status.h"

// pg_hba.conf: who may come in from where, and how they prove who they are. The first rule that
// fits decides.

namespace pgweir::config {

enum class HbaMethod : uint8_t { kTrust, kReject, kPassword, kMd5, kScramSha256, kCert, kPeer };
// What a rule wants of the client's certificate beside its method.
enum class ClientCert : uint8_t { kNo, kVerifyCa, kVerifyFull };

// What rules look at.
struct HbaRequest {
  std::string_view user;
  std::string_view database;
  bool physical_replication = false;
  bool encrypted = false;
  std::optional<IpAddress> address;  // none = over a unix socket
};

// The machine's own addresses, for samehost and samenet.
struct OwnAddresses {
  std::vector<IpRange> hosts;
  std::vector<IpRange> networks;
};

class HbaRules {
 public:
  struct Rule {
    uint32_t line = 0;
    HbaMethod method = HbaMethod::kReject;
    ClientCert client_cert = ClientCert::kNo;
    std::string map;  // of the ident maps; "" = none

   private:
    friend class HbaRules;
    friend class HbaParser;
    struct Name {
      enum class Kind : uint8_t { kName, kAll, kSameUser, kReplication };
      Kind kind = Kind::kName;
      std::string text;
    };
    struct Address {
      enum class Kind : uint8_t { kRange, kAll, kSameHost, kSameNet };
      Kind kind = Kind::kAll;
      std::optional<IpRange> range;
    };
    bool unix_socket_ = false;
    bool never_ = false;             // asks for GSSAPI encryption, which nobody has here
    std::optional<bool> encrypted_;  // none = either
    std::vector<Name> databases_;
    std::vector<Name> users_;
    Address address_;
  };

  // Null when no rule fits.
  const Rule* Find(const HbaRequest& request, const OwnAddresses& own) const;
  const std::vector<Rule>& rules() const { return rules_; }
  // Whether a rule looks at certificates of clients.
  bool wants_certificates() const;

 private:
  friend StatusOr<HbaRules> ParseHba(std::string_view text, const std::string& path);
  static bool Fits(const Rule& rule, const HbaRequest& request, const OwnAddresses& own);

  std::vector<Rule> rules_;
};

// Errors read "FILE:LINE:COLUMN: ...", one line each. What would need a server's knowledge (groups,
// samerole), a resolver (host names) or another file (@FILE) is refused, and so are regular
// expressions and methods that pgweir has not.
StatusOr<HbaRules> LoadHba(const std::string& path);
StatusOr<HbaRules> ParseHba(std::string_view text, const std::string& path);

}  // namespace pgweir::config
