#include "config/hba_parser.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pgweir::config {
namespace {

constexpr std::array<std::pair<std::string_view, HbaMethod>, 7> kMethods{
    {{"trust", HbaMethod::kTrust},
     {"reject", HbaMethod::kReject},
     {"password", HbaMethod::kPassword},
     {"md5", HbaMethod::kMd5},
     {"scram-sha-256", HbaMethod::kScramSha256},
     {"cert", HbaMethod::kCert},
     {"peer", HbaMethod::kPeer}}};

constexpr std::string_view kKnownMethods =
    "trust, reject, password, md5, scram-sha-256, cert, peer";

}  // namespace

std::optional<HbaRules::Rule> HbaParser::Read() {
  rule_.line = record_.front().front().at.line;
  if (!ReadType() || !ReadDatabases() || !ReadUsers()) return std::nullopt;
  if (!rule_.unix_socket_ && !ReadAddress()) return std::nullopt;
  if (!ReadMethod()) return std::nullopt;
  for (; next_ < record_.size(); ++next_) {
    for (const HbaToken& option : record_[next_]) {
      if (!ReadOption(option)) return std::nullopt;
    }
  }
  return std::move(rule_);
}

bool HbaParser::ReadType() {
  const HbaToken* type = NextWord("a connection type");
  if (type == nullptr) return false;
  if (type->text == "local") {
    rule_.unix_socket_ = true;
  } else if (type->text == "hostssl") {
    hostssl_ = true;
    rule_.encrypted_ = true;
  } else if (type->text == "hostnossl") {
    rule_.encrypted_ = false;
  } else if (type->text == "hostgssenc") {
    rule_.never_ = true;
  } else if (type->text.starts_with("include")) {
    return Fault(*type, "other files can't be included: write their rules here");
  } else if (type->text != "host" && type->text != "hostnogssenc") {
    return Fault(*type,
                 "unknown connection type: expected local, host, hostssl, hostnossl, hostgssenc or "
                 "hostnogssenc");
  }
  return true;
}

bool HbaParser::ReadDatabases() {
  using Kind = Rule::Name::Kind;
  const HbaField* field = Next("databases");
  if (field == nullptr) return false;
  for (const HbaToken& token : *field) {
    if (token.Is("samerole") || token.Is("samegroup")) {
      return Fault(token,
                   "groups are not supported, as pgweir does not know who is in them: name the "
                   "databases");
    }
    if (!CheckName(token)) return false;
    const Kind kind = token.Is("all")           ? Kind::kAll
                      : token.Is("sameuser")    ? Kind::kSameUser
                      : token.Is("replication") ? Kind::kReplication
                                                : Kind::kName;
    rule_.databases_.push_back({kind, token.text});
  }
  return true;
}

bool HbaParser::ReadUsers() {
  const HbaField* field = Next("users");
  if (field == nullptr) return false;
  for (const HbaToken& token : *field) {
    if (!token.quoted && token.text.starts_with('+')) {
      return Fault(token,
                   "groups are not supported, as pgweir does not know who is in them: name the "
                   "users");
    }
    if (!CheckName(token)) return false;
    const auto kind = token.Is("all") ? Rule::Name::Kind::kAll : Rule::Name::Kind::kName;
    rule_.users_.push_back({kind, token.text});
  }
  return true;
}

bool HbaParser::ReadAddress() {
  using Kind = Rule::Address::Kind;
  const HbaToken* token = NextWord("an address");
  if (token == nullptr) return false;
  if (token->Is("all")) return true;
  if (token->Is("samehost") || token->Is("samenet")) {
    rule_.address_.kind = token->text == "samehost" ? Kind::kSameHost : Kind::kSameNet;
    return true;
  }
  rule_.address_.kind = Kind::kRange;
  if (IpAddress::Parse(token->text).has_value()) return ReadMask(*token);
  rule_.address_.range = IpRange::Parse(token->text);
  if (rule_.address_.range.has_value()) return true;
  if (token->text.find('/') != std::string::npos) {
    return Fault(*token, "expected an address range such as 10.0.0.0/8 or fd00::/8");
  }
  return Fault(*token,
               "host names are not supported: use an address range such as 10.0.0.0/8, or all, "
               "samehost, samenet");
}

bool HbaParser::ReadMask(const HbaToken& address) {
  const auto base = IpAddress::Parse(address.text);
  const auto mask =
      next_ < record_.size() ? IpAddress::Parse(record_[next_].front().text) : std::nullopt;
  if (!mask.has_value()) {
    return Fault(address,
                 fmt::format("expected a range such as {}/{}, or a mask behind the address",
                             address.text, base->bits()));
  }
  const HbaToken* token = NextWord("a mask");
  if (token == nullptr) return false;
  if (mask->family() != base->family()) {
    return Fault(*token, "the mask must be of the same family as the address");
  }
  rule_.address_.range = IpRange(*base, *mask);
  return true;
}

bool HbaParser::ReadMethod() {
  const HbaToken* token = NextWord("a method");
  if (token == nullptr) return false;
  // As PostgreSQL has it, ident over a unix socket is peer.
  const std::string_view name =
      rule_.unix_socket_ && token->text == "ident" ? "peer" : std::string_view(token->text);
  const auto* it = std::find_if(kMethods.begin(), kMethods.end(),
                                [&](const auto& entry) { return entry.first == name; });
  if (it == kMethods.end()) {
    return Fault(*token, fmt::format("method {} is not supported: use one of {}",
                                     ShownKey(token->text), kKnownMethods));
  }
  rule_.method = it->second;
  if (rule_.method == HbaMethod::kPeer && !rule_.unix_socket_) {
    return Fault(*token, "peer is for local connections only");
  }
  if (rule_.method == HbaMethod::kCert && !hostssl_) {
    return Fault(*token, "cert is for hostssl connections only");
  }
  return true;
}

bool HbaParser::ReadOption(const HbaToken& option) {
  const std::string_view text = option.text;
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return Fault(option, "expected NAME=VALUE");
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = text.substr(equals + 1);
  if (name == "clientcert") return ReadClientCert(option, value);
  if (name == "map") {
    if (rule_.method != HbaMethod::kCert && rule_.method != HbaMethod::kPeer) {
      return Fault(option, "map is for the methods cert and peer only");
    }
    if (value.empty()) return Fault(option, "map must name a map of the ident file");
    rule_.map = value;
    return true;
  }
  if (name == "clientname") {
    return value == "CN" || Fault(option, "only clientname=CN is supported");
  }
  return Fault(option,
               fmt::format("option {} is not supported: use map or clientcert", ShownKey(name)));
}

bool HbaParser::ReadClientCert(const HbaToken& option, std::string_view value) {
  if (!hostssl_) return Fault(option, "clientcert is for hostssl connections only");
  if (value == "verify-full") {
    rule_.client_cert = ClientCert::kVerifyFull;
    return true;
  }
  if (value != "verify-ca") return Fault(option, "clientcert must be verify-ca or verify-full");
  if (rule_.method == HbaMethod::kCert) {
    return Fault(option, "with method cert, clientcert can only be verify-full");
  }
  rule_.client_cert = ClientCert::kVerifyCa;
  return true;
}

const HbaField* HbaParser::Next(std::string_view what) {
  if (next_ < record_.size()) return &record_[next_++];
  const HbaToken& last = record_.back().back();
  Fault(last, fmt::format("expected {} behind this, but the line ends", what));
  return nullptr;
}

const HbaToken* HbaParser::NextWord(std::string_view what) {
  const HbaField* field = Next(what);
  if (field == nullptr) return nullptr;
  if (field->size() == 1) return &field->front();
  Fault((*field)[1], fmt::format("expected {}, which is one value, not a list", what));
  return nullptr;
}

bool HbaParser::CheckName(const HbaToken& token) {
  if (token.text.starts_with('/')) {
    return Fault(token, "regular expressions are not supported: write the names");
  }
  if (!token.quoted && token.text.starts_with('@')) {
    return Fault(token, "@FILE is not supported: write the names here");
  }
  return true;
}

bool HbaParser::Fault(const HbaToken& at, std::string_view message) {
  faults_.Add(at.at, message);
  return false;
}

}  // namespace pgweir::config
