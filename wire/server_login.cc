#include "wire/server_login.h"

#include "wire/byte_reader.h"
#include "wire/md5.h"
#include "wire/message_writer.h"
#include "wire/messages.h"

namespace pgweir::wire {
namespace {

constexpr std::string_view kScram = "SCRAM-SHA-256";
constexpr std::string_view kScramPlus = "SCRAM-SHA-256-PLUS";

// The longest that a server says here are its errors and notices; libpq draws the line there too.
constexpr uint32_t kMaxMessage = 30'000;

// Requests of AuthenticationXXX.
enum : uint32_t {
  kOk = 0,
  kCleartextPassword = 3,
  kMd5Password = 5,
  kSasl = 10,
  kSaslContinue = 11,
  kSaslFinal = 12,
};

Status Unexpected(std::string_view what) {
  return Errorf(sqlstate::kProtocolViolation, "the server's start-up makes no sense: {}", what);
}

Status CannotProve(std::string_view asked, const HashedLogin& login) {
  const bool md5 = std::holds_alternative<Md5Login>(login);
  return Errorf(sqlstate::kInvalidAuthorization,
                "the server asks for {}, and of the password only {} is known", asked,
                md5 ? "an md5 secret" : "a SCRAM secret");
}

// An error as the server put it. It need not have any of the fields.
Status ServerError(Bytes body) {
  const StatusOr<ErrorFields> fields = ReadErrorFields(body);
  if (!fields.ok()) return Unexpected("unreadable error");
  const bool has_state = fields->sqlstate.size() == 5;
  return Error(has_state ? fields->sqlstate : sqlstate::kCannotConnect,
               fields->message.empty() ? "the server refuses without a reason" : fields->message);
}

}  // namespace

ServerLogin::ServerLogin(HashedLogin login, ChannelBinding binding, std::string nonce)
    : login_(std::move(login)), binding_(std::move(binding)), nonce_(std::move(nonce)) {}

StatusOr<bool> ServerLogin::Take(std::string& in, std::string& out) {
  while (!ready_ && in.size() >= kHeaderSize) {
    ByteReader header(AsBytes(in).subspan(1));
    const uint32_t length = *header.Int32();
    if (length < 4 || length > kMaxMessage) return Unexpected("a message of that length");
    if (in.size() < 1 + length) return false;
    const Status taken = TakeMessage(in[0], AsBytes(in).subspan(kHeaderSize, length - 4), out);
    if (!taken.ok()) return taken;
    in.erase(0, 1 + length);
  }
  return ready_;
}

Status ServerLogin::TakeMessage(char type, Bytes body, std::string& out) {
  if (type == backend::kErrorResponse) {
    refused_ = true;
    return ServerError(body);
  }
  if (type == backend::kNoticeResponse) return absl::OkStatus();
  if (!authenticated_) {
    if (type != backend::kAuthentication) return Unexpected("no authentication request");
    return OnAuthentication(body, out);
  }
  switch (type) {
    case backend::kParameterStatus: {
      const auto status = ReadParameterStatus(body);
      if (!status.ok()) return Unexpected("unreadable parameter");
      parameters_.Report(status->name, status->value);
      return absl::OkStatus();
    }
    case backend::kBackendKeyData: {
      ByteReader reader(body);
      const auto process_id = reader.Int32();
      if (!process_id.has_value()) return Unexpected("unreadable cancel key");
      process_id_ = *process_id;
      cancel_key_ = reader.rest();
      return absl::OkStatus();
    }
    case backend::kReadyForQuery: {
      const auto status = ReadReadyForQuery(body);
      if (!status.ok() || *status != TransactionStatus::kIdle)
        return Unexpected("in a transaction");
      ready_ = true;
      return absl::OkStatus();
    }
    default:
      return Unexpected("a message that belongs elsewhere");
  }
}

Status ServerLogin::OnAuthentication(Bytes body, std::string& out) {
  ByteReader reader(body);
  const auto request = reader.Int32();
  if (!request.has_value()) return Unexpected("unreadable authentication request");
  switch (*request) {
    case kOk:
      // A server that has asked for SCRAM must show that it knows the secret before it lets us in.
      if (scram_.has_value() && !proven_) return Unexpected("it ends SCRAM before its end");
      if (binding_.required && !bound_) {
        return Error(sqlstate::kInvalidAuthorization,
                     "channel binding is required, but the server lets us in without it");
      }
      authenticated_ = true;
      return absl::OkStatus();
    case kCleartextPassword:
      return CannotProve("the password itself", login_);
    case kMd5Password:
      return OnMd5(reader.rest(), out);
    case kSasl:
      return OnSasl(reader.rest(), out);
    case kSaslContinue: {
      if (!scram_.has_value() || challenged_) return Unexpected("a SCRAM message out of turn");
      challenged_ = true;
      const auto answer = scram_->Final(reader.rest());
      if (!answer.ok()) return answer.status();
      MessageWriter(out, frontend::kPassword).Raw(*answer);
      return absl::OkStatus();
    }
    case kSaslFinal: {
      if (!challenged_ || proven_) return Unexpected("a SCRAM message out of turn");
      proven_ = true;
      return scram_->Check(reader.rest());
    }
    default:
      return CannotProve("another way of logging in", login_);
  }
}

Status ServerLogin::OnMd5(std::string_view salt, std::string& out) {
  const auto* md5 = std::get_if<Md5Login>(&login_);
  if (md5 == nullptr) return CannotProve("an md5 password", login_);
  if (salt.size() != 4) return Unexpected("unusable salt");
  MessageWriter(out, frontend::kPassword).Text(Md5Response(md5->secret, salt));
  return absl::OkStatus();
}

// libpq's choice: -PLUS where it is offered and there is a channel to bind to; "y" tells a server
// that it was not offered, which one that did offer it takes for an attack.
Status ServerLogin::OnSasl(std::string_view mechanisms, std::string& out) {
  const auto* login = std::get_if<ScramLoginRef>(&login_);
  if (login == nullptr || *login == nullptr) return CannotProve("SCRAM", login_);
  if (scram_.has_value()) return Unexpected("a SCRAM message out of turn");
  bool plain = false, plus = false;
  ByteReader reader(AsBytes(mechanisms));
  for (auto name = reader.Text(); name.has_value() && !name->empty(); name = reader.Text()) {
    plain |= *name == kScram;
    plus |= *name == kScramPlus;
  }
  const bool can_bind = !binding_.server_end_point.empty();
  bound_ = plus && can_bind;
  if (!bound_ && !plain) return CannotProve("another kind of SASL", login_);
  if (binding_.required && !bound_) {
    return Error(sqlstate::kInvalidAuthorization,
                 "channel binding is required, but the server does not offer it");
  }
  if (bound_) {
    scram_.emplace(*login, "p=tls-server-end-point,,", binding_.server_end_point, nonce_);
  } else {
    scram_.emplace(*login, can_bind ? "y,," : "n,,", "", nonce_);
  }
  const std::string first = scram_->First();
  MessageWriter message(out, frontend::kPassword);
  message.Text(bound_ ? kScramPlus : kScram);
  message.Int32(static_cast<uint32_t>(first.size()));
  message.Raw(first);
  return absl::OkStatus();
}

}  // namespace pgweir::wire
