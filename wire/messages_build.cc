#include <array>

#include "wire/message_writer.h"
#include "wire/messages.h"

namespace pgweir::wire {
namespace {

// The codes of Authentication messages.
enum class Authentication : uint32_t {
  kOk = 0,
  kCleartextPassword = 3,
  kMd5Password = 5,
  kSasl = 10,
  kSaslContinue = 11,
  kSaslFinal = 12,
};

void AppendAuthentication(std::string& out, Authentication code, std::string_view data) {
  MessageWriter message(out, backend::kAuthentication);
  message.Int32(static_cast<uint32_t>(code));
  message.Raw(data);
}

void AppendFields(std::string& out, char type, const ErrorFields& fields) {
  MessageWriter message(out, type);
  const auto field = [&](char code, std::string_view value) {
    message.Byte(code);
    message.Text(value);
  };
  field('S', fields.severity);
  field('V', fields.severity);
  field('C', fields.sqlstate);
  field('M', fields.message);
  if (!fields.detail.empty()) field('D', fields.detail);
  if (!fields.hint.empty()) field('H', fields.hint);
  message.Byte('\0');
}

void AppendText(std::string& out, char type, std::string_view text) {
  MessageWriter(out, type).Text(text);
}

}  // namespace

void AppendAuthenticationOk(std::string& out) {
  AppendAuthentication(out, Authentication::kOk, "");
}

void AppendAuthenticationCleartextPassword(std::string& out) {
  AppendAuthentication(out, Authentication::kCleartextPassword, "");
}

void AppendAuthenticationMd5Password(std::string& out, std::string_view salt4) {
  AppendAuthentication(out, Authentication::kMd5Password, salt4);
}

void AppendAuthenticationSasl(std::string& out, const std::vector<std::string_view>& mechanisms) {
  MessageWriter message(out, backend::kAuthentication);
  message.Int32(static_cast<uint32_t>(Authentication::kSasl));
  for (const std::string_view mechanism : mechanisms) message.Text(mechanism);
  message.Byte('\0');
}

void AppendAuthenticationSaslContinue(std::string& out, std::string_view data) {
  AppendAuthentication(out, Authentication::kSaslContinue, data);
}

void AppendAuthenticationSaslFinal(std::string& out, std::string_view data) {
  AppendAuthentication(out, Authentication::kSaslFinal, data);
}

void AppendParameterStatus(std::string& out, std::string_view name, std::string_view value) {
  MessageWriter message(out, backend::kParameterStatus);
  message.Text(name);
  message.Text(value);
}

void AppendBackendKeyData(std::string& out, uint32_t process_id, std::string_view secret) {
  MessageWriter message(out, backend::kBackendKeyData);
  message.Int32(process_id);
  message.Raw(secret);
}

void AppendReadyForQuery(std::string& out, TransactionStatus status) {
  MessageWriter(out, backend::kReadyForQuery).Byte(static_cast<char>(status));
}

void AppendNegotiateProtocolVersion(std::string& out, uint32_t newest_minor,
                                    const std::vector<std::string>& unsupported) {
  MessageWriter message(out, backend::kNegotiateProtocolVersion);
  // The documentation speaks of the minor version, but PostgreSQL sends the major with it, and
  // libpq takes a bare minor for a version before 3.0.
  message.Int32(kProtocol30 | newest_minor);
  message.Int32(static_cast<uint32_t>(unsupported.size()));
  for (const std::string& name : unsupported) message.Text(name);
}

void AppendParseComplete(std::string& out) { MessageWriter(out, backend::kParseComplete); }

void AppendErrorBody(std::string& out, std::string_view body) {
  MessageWriter(out, backend::kErrorResponse).Raw(body);
}

void AppendEmptyQueryResponse(std::string& out) {
  const MessageWriter message(out, backend::kEmptyQueryResponse);
}

void AppendCommandComplete(std::string& out, std::string_view tag) {
  AppendText(out, backend::kCommandComplete, tag);
}

void AppendErrorResponse(std::string& out, const ErrorFields& fields) {
  AppendFields(out, backend::kErrorResponse, fields);
}

void AppendNoticeResponse(std::string& out, const ErrorFields& fields) {
  AppendFields(out, backend::kNoticeResponse, fields);
}

void AppendSslRequest(std::string& out) { MessageWriter(out).Int32(kSslRequestCode); }

void AppendStartupMessage(std::string& out,
                          const std::vector<std::pair<std::string, std::string>>& parameters) {
  MessageWriter message(out);
  message.Int32(kProtocol30);
  for (const auto& [name, value] : parameters) {
    message.Text(name);
    message.Text(value);
  }
  message.Byte('\0');
}

void AppendQuery(std::string& out, std::string_view sql) { AppendText(out, frontend::kQuery, sql); }

void AppendParse(std::string& out, std::string_view name, std::string_view sql,
                 std::string_view types) {
  MessageWriter message(out, frontend::kParse);
  message.Text(name);
  message.Text(sql);
  message.Raw(types);
}

void AppendBindHead(std::string& out, std::string_view portal, std::string_view statement,
                    uint32_t rest) {
  const auto length = static_cast<uint32_t>(4 + portal.size() + 1 + statement.size() + 1) + rest;
  const std::array<char, kHeaderSize> head = {
      frontend::kBind, static_cast<char>(length >> 24), static_cast<char>(length >> 16),
      static_cast<char>(length >> 8), static_cast<char>(length)};
  out.append(head.data(), head.size());
  out.append(portal).append(1, '\0').append(statement).append(1, '\0');
}

void AppendBind(std::string& out, std::string_view portal, std::string_view statement) {
  MessageWriter message(out, frontend::kBind);
  message.Text(portal);
  message.Text(statement);
  message.Raw(std::string_view("\0\0\0\0\0\0", 6));  // no formats, parameters, result formats
}

void AppendDescribe(std::string& out, char kind, std::string_view name) {
  MessageWriter message(out, frontend::kDescribe);
  message.Byte(kind);
  message.Text(name);
}

void AppendClose(std::string& out, char kind, std::string_view name) {
  MessageWriter message(out, frontend::kClose);
  message.Byte(kind);
  message.Text(name);
}

void AppendExecute(std::string& out, std::string_view portal) {
  MessageWriter message(out, frontend::kExecute);
  message.Text(portal);
  message.Int32(0);  // all rows
}

void AppendSync(std::string& out) { const MessageWriter message(out, frontend::kSync); }

void AppendCopyFail(std::string& out, std::string_view reason) {
  AppendText(out, frontend::kCopyFail, reason);
}

void AppendTerminate(std::string& out) { const MessageWriter message(out, frontend::kTerminate); }

void AppendCancelRequest(std::string& out, uint32_t process_id, std::string_view secret) {
  MessageWriter message(out);
  message.Int32(kCancelRequestCode);
  message.Int32(process_id);
  message.Raw(secret);
}

}  // namespace pgweir::wire
