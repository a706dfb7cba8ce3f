#include "wire/scram.h"

#include <algorithm>

#include "wire/base64.h"
#include "wire/hash.h"

namespace pgweir::wire {
namespace {

// Real messages take some hundred bytes; a client's nonce has 24.
constexpr size_t kMaxMessage = 8192;
constexpr size_t kMaxNonce = 1024;

Status Malformed(std::string_view why) {
  return Errorf(sqlstate::kProtocolViolation, "malformed SCRAM message: {}", why);
}

Status CheckMessage(std::string_view message) {
  if (message.empty()) return Malformed("empty");
  if (message.size() > kMaxMessage) return Malformed("too long");
  if (message.find('\0') != std::string_view::npos) return Malformed("zero byte inside");
  return absl::OkStatus();
}

bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// RFC 5802's "printable": visible ASCII without the comma.
bool IsPrintable(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c <= '~' && c != ','; });
}

// Reads the comma-separated attributes of a message, one letter, '=' and a value each.
class Attributes {
 public:
  explicit Attributes(std::string_view message) : message_(message) {}

  bool at_end() const { return at_ > message_.size(); }
  // Where the attribute begins that Next() reads.
  size_t position() const { return at_; }

  StatusOr<std::string_view> Next(char& name) {
    if (at_end()) return Malformed("attribute expected, but found end of message");
    const size_t end = std::min(message_.find(',', at_), message_.size());
    const std::string_view attribute = message_.substr(at_, end - at_);
    if (attribute.size() < 2 || !IsAlpha(attribute[0]) || attribute[1] != '=') {
      return Malformed("attribute expected, but found something else");
    }
    name = attribute[0];
    // RFC 5802, section 5.1: a mandatory extension that is not understood ends the exchange.
    if (name == 'm') {
      return Error(sqlstate::kFeatureNotSupported,
                   "client requires an unsupported SCRAM extension");
    }
    at_ = end + 1;
    return attribute.substr(2);
  }

  StatusOr<std::string_view> Expect(char wanted) {
    char name = 0;
    StatusOr<std::string_view> value = Next(name);
    if (value.ok() && name != wanted) {
      return Malformed(fmt::format("attribute \"{}\" expected, but found \"{}\"", wanted, name));
    }
    return value;
  }

 private:
  std::string_view message_;
  // One past the comma behind the last attribute read; beyond the message after the last one.
  size_t at_ = 0;
};

constexpr std::string_view kBindingFlag = "p=tls-server-end-point,";

// What the client says of channel binding must be true of what was offered and selected.
Status CheckBindingFlag(std::string_view message, const ScramChannel& channel) {
  switch (message[0]) {
    case 'n':  // not wanted
    case 'y':  // wanted, but the client saw none offered
      if (channel.plus_selected) {
        return Malformed("SCRAM-SHA-256-PLUS selected without channel binding");
      }
      if (message[0] == 'y' && !channel.server_end_point.empty()) {
        return Error(sqlstate::kInvalidAuthorization,
                     "SCRAM channel binding negotiation error: the client thinks that the server "
                     "does not support channel binding, but it does");
      }
      return message.size() > 1 && message[1] == ',' ? absl::OkStatus()
                                                     : Malformed("comma expected");
    case 'p':
      if (!channel.plus_selected) return Malformed("channel binding without SCRAM-SHA-256-PLUS");
      return message.starts_with(kBindingFlag) ? absl::OkStatus()
                                               : Malformed("unsupported channel-binding type");
    default:
      return Malformed("unexpected channel-binding flag");
  }
}

// The length of the gs2 header, its last comma included.
StatusOr<size_t> Gs2HeaderLength(std::string_view message, const ScramChannel& channel) {
  const Status status = CheckBindingFlag(message, channel);
  if (!status.ok()) return status;
  const size_t flag = message.find(',') + 1;
  if (flag >= message.size()) return Malformed("comma expected");
  if (message[flag] == 'a') {
    return Error(sqlstate::kFeatureNotSupported,
                 "client uses authorization identity, but it is not supported");
  }
  if (message[flag] != ',') return Malformed("unexpected attribute in gs2 header");
  return flag + 1;
}

}  // namespace

ScramServer::ScramServer(ScramVerifier verifier, std::string nonce, ScramChannel channel)
    : verifier_(std::move(verifier)), nonce_(std::move(nonce)), channel_(std::move(channel)) {}

StatusOr<std::string> ScramServer::First(std::string_view client_first) {
  if (Status status = CheckMessage(client_first); !status.ok()) return status;
  const StatusOr<size_t> gs2_length = Gs2HeaderLength(client_first, channel_);
  if (!gs2_length.ok()) return gs2_length.status();
  const std::string_view bare = client_first.substr(*gs2_length);

  Attributes attributes(bare);
  // The name of the start-up packet counts; libpq sends none here.
  if (const auto user = attributes.Expect('n'); !user.ok()) return user.status();
  const StatusOr<std::string_view> nonce = attributes.Expect('r');
  if (!nonce.ok()) return nonce.status();
  if (nonce->empty() || nonce->size() > kMaxNonce) return Malformed("nonce of unusable length");
  if (!IsPrintable(*nonce)) return Malformed("non-printable characters in nonce");
  while (!attributes.at_end()) {
    char extension = 0;
    if (const auto value = attributes.Next(extension); !value.ok()) return value.status();
  }

  gs2_header_ = client_first.substr(0, *gs2_length);
  client_first_bare_ = bare;
  nonce_.insert(0, *nonce);
  server_first_ =
      fmt::format("r={},s={},i={}", nonce_, Base64Encode(verifier_.salt), verifier_.iterations);
  return server_first_;
}

StatusOr<std::string> ScramServer::Final(std::string_view client_final) {
  if (Status status = CheckMessage(client_final); !status.ok()) return status;
  Attributes attributes(client_final);
  const StatusOr<std::string_view> binding = attributes.Expect('c');
  if (!binding.ok()) return binding.status();
  // RFC 5802, section 7: the header of the first message, and behind it what the channel is bound
  // to.
  if (channel_.plus_selected) {
    if (*binding != Base64Encode(gs2_header_ + channel_.server_end_point)) {
      return Error(sqlstate::kInvalidAuthorization, "SCRAM channel binding check failed");
    }
  } else if (*binding != Base64Encode(gs2_header_)) {
    return Error(sqlstate::kProtocolViolation,
                 "unexpected SCRAM channel-binding attribute in client-final-message");
  }
  const StatusOr<std::string_view> nonce = attributes.Expect('r');
  if (!nonce.ok()) return nonce.status();
  if (server_first_.empty() || !SameSecret(*nonce, nonce_)) {
    return Error(sqlstate::kProtocolViolation, "invalid SCRAM response: nonce does not match");
  }
  char name = 0;
  size_t proof_at = 0;
  StatusOr<std::string_view> proof_text;
  do {
    proof_at = attributes.position();
    proof_text = attributes.Next(name);
    if (!proof_text.ok()) return proof_text.status();
  } while (name != 'p');
  if (!attributes.at_end()) return Malformed("garbage found behind the proof");
  const std::optional<std::string> proof = Base64Decode(*proof_text);
  if (!proof.has_value() || proof->size() != ScramKey{}.size()) return Malformed("unusable proof");

  // RFC 5802, section 3. The comma before the proof is not part of client-final-without-proof.
  const std::string auth_message = fmt::format("{},{},{}", client_first_bare_, server_first_,
                                               client_final.substr(0, proof_at - 1));
  ScramKey client_key = HmacSha256(AsText(verifier_.stored_key), auth_message);
  for (size_t i = 0; i < client_key.size(); ++i) {
    client_key[i] ^= static_cast<unsigned char>((*proof)[i]);
  }
  if (!SameSecret(AsText(Sha256(AsText(client_key))), AsText(verifier_.stored_key))) {
    return Error(sqlstate::kInvalidPassword, "password authentication failed");
  }
  client_key_ = client_key;
  return "v=" + Base64Encode(AsText(HmacSha256(AsText(verifier_.server_key), auth_message)));
}

}  // namespace pgweir::wire
