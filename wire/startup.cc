#include "wire/startup.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "base/strings.h"
#include "wire/byte_reader.h"

namespace pgweir::wire {
namespace {

constexpr std::string_view kInvalidParameterValue = "22023";
// A length word and a code; CancelRequest also has a process id and a key.
constexpr uint32_t kMinStartupLength = 8;
constexpr size_t kMinCancelKey = 4;
constexpr size_t kMaxCancelKey = 256;
// PostgreSQL's NAMEDATALEN without the NUL.
constexpr size_t kMaxName = 63;

Status InvalidLength() {
  return Error(sqlstate::kProtocolViolation, "invalid length of startup packet");
}

Status InvalidLayout() {
  return Error(sqlstate::kProtocolViolation,
               "invalid startup packet layout: expected terminator as last byte");
}

// As PostgreSQL reads a boolean: any case, and every beginning that means one value only.
std::optional<bool> ParseBool(std::string_view text) {
  struct Word {
    std::string_view name;
    size_t shortest;
    bool value;
  };
  static constexpr Word kWords[] = {{"true", 1, true}, {"false", 1, false}, {"yes", 1, true},
                                    {"no", 1, false},  {"on", 2, true},     {"off", 2, false},
                                    {"1", 1, true},    {"0", 1, false}};
  for (const Word& word : kWords) {
    if (text.size() >= word.shortest &&
        absl::StartsWithIgnoreCase(ToAbsl(word.name), ToAbsl(text))) {
      return word.value;
    }
  }
  return std::nullopt;
}

StatusOr<std::string> Replication(std::string_view value) {
  if (value == "database") return std::string(value);
  const std::optional<bool> wanted = ParseBool(value);
  if (!wanted.has_value()) {
    return Errorf(kInvalidParameterValue, "invalid value for parameter \"replication\": \"{}\"",
                  value);
  }
  return *wanted ? std::string(value) : std::string();
}

StatusOr<StartupPacket> DecodeCancel(ByteReader reader) {
  const std::optional<uint32_t> process_id = reader.Int32();
  const std::string_view key = reader.rest();
  if (!process_id.has_value() || key.size() < kMinCancelKey || key.size() > kMaxCancelKey) {
    return Error(sqlstate::kProtocolViolation, "invalid length of cancel request packet");
  }
  return CancelRequest{*process_id, std::string(key)};
}

template <typename Request>
StatusOr<StartupPacket> DecodeEncryptionRequest(const ByteReader& reader) {
  if (!reader.at_end()) return InvalidLength();
  return Request{};
}

// Collects the pairs of a start-up packet; names of settings compare as the server's do.
class StartupBuilder {
 public:
  explicit StartupBuilder(uint16_t minor) { message_.minor = minor; }

  Status Add(std::string_view name, std::string_view value) {
    if (name == "user") {
      message_.user = value.substr(0, kMaxName);
    } else if (name == "database") {
      message_.database = value.substr(0, kMaxName);
    } else if (name == "options") {
      options_ = value;
    } else if (name == "replication") {
      StatusOr<std::string> replication = Replication(value);
      if (!replication.ok()) return replication.status();
      message_.replication = *std::move(replication);
    } else if (name.starts_with("_pq_.")) {
      message_.unsupported.emplace_back(name);
    } else {
      AddSetting(name, value);
    }
    return absl::OkStatus();
  }

  StatusOr<StartupPacket> Finish() && {
    if (message_.user.empty()) {
      return Error(sqlstate::kInvalidAuthorization,
                   "no PostgreSQL user name specified in startup packet");
    }
    if (message_.database.empty()) message_.database = message_.user;
    auto options = SplitOptions(options_);
    if (!options.ok()) return options.status();
    message_.options = *std::move(options);
    return std::move(message_);
  }

 private:
  void AddSetting(std::string_view name, std::string_view value) {
    std::string key(name);
    std::transform(key.begin(), key.end(), key.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; });
    const auto [place, is_new] = places_.try_emplace(std::move(key), message_.settings.size());
    if (is_new) {
      message_.settings.emplace_back(name, value);
    } else {
      message_.settings[place->second].second = value;
    }
  }

  StartupMessage message_;
  std::string_view options_;
  // Where a setting is in message_.settings, by its name in lower case.
  std::map<std::string, size_t> places_;
};

StatusOr<StartupPacket> DecodeStartupMessage(ByteReader reader, uint16_t minor) {
  StartupBuilder builder(minor);
  while (true) {
    const std::optional<std::string_view> name = reader.Text();
    if (!name.has_value()) return InvalidLayout();
    if (name->empty()) break;
    const std::optional<std::string_view> value = reader.Text();
    if (!value.has_value()) return InvalidLayout();
    if (Status status = builder.Add(*name, *value); !status.ok()) return status;
  }
  if (!reader.at_end()) return InvalidLayout();
  return std::move(builder).Finish();
}

}  // namespace

StatusOr<size_t> StartupLength(Bytes in) {
  const std::optional<uint32_t> length = ByteReader(in).Int32();
  if (!length.has_value()) return size_t{0};
  if (*length < kMinStartupLength || *length > kMaxStartupLength) return InvalidLength();
  return size_t{*length};
}

bool IsCancelRequest(Bytes packet) {
  ByteReader reader(packet);
  reader.Int32();  // length
  return reader.Int32() == kCancelRequestCode;
}

StatusOr<StartupPacket> DecodeStartup(Bytes packet) {
  ByteReader reader(packet);
  const std::optional<uint32_t> length = reader.Int32();
  const std::optional<uint32_t> code = reader.Int32();
  if (!code.has_value() || *length != packet.size() || *length > kMaxStartupLength) {
    return InvalidLength();
  }
  switch (*code) {
    case kCancelRequestCode:
      return DecodeCancel(reader);
    case kSslRequestCode:
      return DecodeEncryptionRequest<SslRequest>(reader);
    case kGssEncRequestCode:
      return DecodeEncryptionRequest<GssEncRequest>(reader);
    default:
      break;
  }
  const uint32_t major = *code >> 16;
  const auto minor = static_cast<uint16_t>(*code & 0xffff);
  if (major != kProtocol30 >> 16) {
    return Errorf(sqlstate::kFeatureNotSupported,
                  "unsupported frontend protocol {}.{}: server supports 3.0 to 3.0", major, minor);
  }
  return DecodeStartupMessage(reader, minor);
}

}  // namespace pgweir::wire
