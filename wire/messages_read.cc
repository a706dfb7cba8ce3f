#include "wire/byte_reader.h"
#include "wire/messages.h"

namespace pgweir::wire {
namespace {

Status InvalidFormat() { return Error(sqlstate::kProtocolViolation, "invalid message format"); }

// A body that is one text: its only NUL is its last byte.
StatusOr<std::string_view> ReadOnlyText(Bytes body) {
  ByteReader reader(body);
  const std::optional<std::string_view> text = reader.Text();
  if (!text.has_value()) return Error(sqlstate::kProtocolViolation, "invalid string in message");
  if (!reader.at_end()) return InvalidFormat();
  return *text;
}

}  // namespace

StatusOr<ErrorFields> ReadErrorFields(Bytes body) {
  ErrorFields fields;
  std::string_view translated_severity;
  ByteReader reader(body);
  while (true) {
    const std::optional<char> code = reader.Byte();
    if (!code.has_value()) return InvalidFormat();
    if (*code == '\0') break;
    const std::optional<std::string_view> value = reader.Text();
    if (!value.has_value()) return InvalidFormat();
    switch (*code) {
      case 'S':
        translated_severity = *value;
        break;
      case 'V':
        fields.severity = *value;
        break;
      case 'C':
        fields.sqlstate = *value;
        break;
      case 'M':
        fields.message = *value;
        break;
      case 'D':
        fields.detail = *value;
        break;
      case 'H':
        fields.hint = *value;
        break;
      default:
        break;  // not of interest here, or newer than this reader
    }
  }
  if (!reader.at_end()) return InvalidFormat();
  if (fields.severity.empty()) fields.severity = translated_severity;  // a server before 9.6
  return fields;
}

StatusOr<NameValue> ReadParameterStatus(Bytes body) {
  ByteReader reader(body);
  const std::optional<std::string_view> name = reader.Text();
  const std::optional<std::string_view> value = reader.Text();
  if (!value.has_value() || !reader.at_end()) return InvalidFormat();
  return NameValue{*name, *value};
}

StatusOr<TransactionStatus> ReadReadyForQuery(Bytes body) {
  ByteReader reader(body);
  const std::optional<char> status = reader.Byte();
  if (!status.has_value() || !reader.at_end()) return InvalidFormat();
  switch (*status) {
    case 'I':
      return TransactionStatus::kIdle;
    case 'T':
      return TransactionStatus::kInTransaction;
    case 'E':
      return TransactionStatus::kFailed;
    default:
      return InvalidFormat();
  }
}

StatusOr<std::string_view> ReadCommandTag(Bytes body) { return ReadOnlyText(body); }

StatusOr<std::vector<std::optional<std::string>>> ReadDataRow(Bytes body) {
  ByteReader reader(body);
  const std::optional<uint16_t> count = reader.Int16();
  if (!count.has_value()) return InvalidFormat();
  std::vector<std::optional<std::string>> row;
  for (int i = 0; i < *count; ++i) {
    const std::optional<uint32_t> length = reader.Int32();
    if (!length.has_value()) return InvalidFormat();
    if (*length == UINT32_MAX) {  // NULL
      row.emplace_back();
      continue;
    }
    const std::optional<std::string_view> value = reader.Take(*length);
    if (!value.has_value()) return InvalidFormat();
    row.emplace_back(*value);
  }
  if (!reader.at_end()) return InvalidFormat();
  return row;
}

StatusOr<std::string_view> ReadQuery(Bytes body) { return ReadOnlyText(body); }

std::optional<std::string_view> ReadBindParameter(std::string_view rest, int number) {
  ByteReader reader(AsBytes(rest));
  const std::optional<uint16_t> formats = reader.Int16();
  if (!formats.has_value() || !reader.Take(size_t{2} * *formats).has_value()) return std::nullopt;
  const std::optional<uint16_t> count = reader.Int16();
  if (!count.has_value() || number < 1 || number > *count) return std::nullopt;
  for (int i = 1;; ++i) {
    const std::optional<uint32_t> length = reader.Int32();
    if (!length.has_value()) return std::nullopt;
    const bool null = *length == UINT32_MAX;
    const std::optional<std::string_view> value = null ? std::nullopt : reader.Take(*length);
    if (i == number || (!null && !value.has_value())) return value;
  }
}

StatusOr<std::string_view> ReadPassword(Bytes body) {
  StatusOr<std::string_view> password = ReadOnlyText(body);
  if (!password.ok()) return Error(sqlstate::kProtocolViolation, "invalid password packet size");
  if (password->empty()) {
    return Error(sqlstate::kInvalidPassword, "empty password returned by client");
  }
  return password;
}

StatusOr<SaslInitialResponse> ReadSaslInitialResponse(Bytes body) {
  ByteReader reader(body);
  const std::optional<std::string_view> mechanism = reader.Text();
  const std::optional<uint32_t> length = reader.Int32();
  if (!mechanism.has_value() || !length.has_value()) return InvalidFormat();
  const bool without_data = *length == UINT32_MAX;  // -1
  if (reader.rest().size() != (without_data ? 0 : *length)) return InvalidFormat();
  SaslInitialResponse response{.mechanism = *mechanism, .data = std::nullopt};
  if (!without_data) response.data = reader.rest();
  return response;
}

}  // namespace pgweir::wire
