#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "wire/protocol.h"

// Building and reading the messages that pgweir itself originates or must understand. Builders
// append one whole message to `out`. Readers take a message's body (what follows the length word),
// never trust it, and return views into it.

namespace pgweir::wire {

// --- to clients ---
void AppendAuthenticationOk(std::string& out);
void AppendAuthenticationCleartextPassword(std::string& out);
void AppendAuthenticationMd5Password(std::string& out, std::string_view salt4);
void AppendAuthenticationSasl(std::string& out, const std::vector<std::string_view>& mechanisms);
void AppendAuthenticationSaslContinue(std::string& out, std::string_view data);
void AppendAuthenticationSaslFinal(std::string& out, std::string_view data);
void AppendParameterStatus(std::string& out, std::string_view name, std::string_view value);
void AppendBackendKeyData(std::string& out, uint32_t process_id, std::string_view secret);
void AppendReadyForQuery(std::string& out, TransactionStatus status);
// `newest_minor` of version 3; the message carries the whole version number, as PostgreSQL's does.
void AppendNegotiateProtocolVersion(std::string& out, uint32_t newest_minor,
                                    const std::vector<std::string>& unsupported);
void AppendParseComplete(std::string& out);
// An ErrorResponse whose fields are already put together.
void AppendErrorBody(std::string& out, std::string_view body);
void AppendEmptyQueryResponse(std::string& out);
void AppendCommandComplete(std::string& out, std::string_view tag);

struct ErrorFields {
  std::string_view severity;  // ERROR FATAL PANIC; or a notice's
  std::string_view sqlstate;
  std::string_view message;
  std::string_view detail = {};  // "" = none
  std::string_view hint = {};    // "" = none
};
void AppendErrorResponse(std::string& out, const ErrorFields& fields);
void AppendNoticeResponse(std::string& out, const ErrorFields& fields);

// --- to servers ---
void AppendSslRequest(std::string& out);
// The packet that begins a session, protocol 3.0.
void AppendStartupMessage(std::string& out,
                          const std::vector<std::pair<std::string, std::string>>& parameters);
void AppendQuery(std::string& out, std::string_view sql);
// `types`: of the parameters, as a Parse ends: a count and OIDs.
void AppendParse(std::string& out, std::string_view name, std::string_view sql,
                 std::string_view types);
// The start of a Bind, behind which `rest` bytes of the caller's follow.
void AppendBindHead(std::string& out, std::string_view portal, std::string_view statement,
                    uint32_t rest);
// Without parameters.
void AppendBind(std::string& out, std::string_view portal, std::string_view statement);
// `kind`: 'S'tatement or 'P'ortal.
void AppendDescribe(std::string& out, char kind, std::string_view name);
void AppendClose(std::string& out, char kind, std::string_view name);
void AppendExecute(std::string& out, std::string_view portal);
void AppendSync(std::string& out);
void AppendCopyFail(std::string& out, std::string_view reason);
void AppendTerminate(std::string& out);
void AppendCancelRequest(std::string& out, uint32_t process_id, std::string_view secret);

// --- readers ---

// Fields that the message lacks stay empty; severity is the untranslated 'V' where there is one.
// An error means the body is not a list of NUL-terminated fields.
StatusOr<ErrorFields> ReadErrorFields(Bytes body);

struct NameValue {
  std::string_view name;
  std::string_view value;
};
StatusOr<NameValue> ReadParameterStatus(Bytes body);
StatusOr<TransactionStatus> ReadReadyForQuery(Bytes body);
StatusOr<std::string_view> ReadCommandTag(Bytes body);

// The columns of a DataRow as text; none for NULL.
StatusOr<std::vector<std::optional<std::string>>> ReadDataRow(Bytes body);

// The text of a Query message, without its final NUL.
StatusOr<std::string_view> ReadQuery(Bytes body);

// The value of parameter `number`, from 1, of a Bind whose names have been taken off: none when it
// is NULL, not there, or not within the bytes at hand.
std::optional<std::string_view> ReadBindParameter(std::string_view rest, int number);

// A password message's text; rejects one without its NUL or with another inside (SQLSTATE 08P01),
// and an empty password (28P01).
StatusOr<std::string_view> ReadPassword(Bytes body);

struct SaslInitialResponse {
  std::string_view mechanism;
  std::optional<std::string_view> data;  // none when the client sent length -1
};
StatusOr<SaslInitialResponse> ReadSaslInitialResponse(Bytes body);

}  // namespace pgweir::wire
