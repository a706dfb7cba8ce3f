#include "proxy/error_response.h"

#include "wire/messages.h"

namespace pgweir::proxy {

void AppendError(std::string& out, Severity severity, const Status& status) {
  const std::string state = SqlStateOf(status);
  const std::string message = MessageOf(status);
  const std::string hint = HintOf(status);
  wire::ErrorFields fields;
  fields.severity = severity == Severity::kFatal ? "FATAL" : "ERROR";
  fields.sqlstate = state;
  fields.message = message;
  fields.hint = hint;
  wire::AppendErrorResponse(out, fields);
}

}  // namespace pgweir::proxy
