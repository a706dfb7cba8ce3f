#include "base/status.h"

#include "absl/strings/cord.h"
#include "base/strings.h"

namespace pgweir {
namespace {
constexpr absl::string_view kPayloadUrl = "pgweir/sqlstate";
constexpr absl::string_view kHintUrl = "pgweir/hint";
}  // namespace

Status Error(std::string_view sqlstate, std::string_view message) {
  Status status(absl::StatusCode::kUnknown, ToAbsl(message));
  status.SetPayload(kPayloadUrl, absl::Cord(ToAbsl(sqlstate)));
  return status;
}

Status WithHint(Status status, std::string_view hint) {
  if (!hint.empty()) status.SetPayload(kHintUrl, absl::Cord(ToAbsl(hint)));
  return status;
}

std::string HintOf(const Status& status) {
  const auto payload = status.GetPayload(kHintUrl);
  return payload.has_value() ? std::string(*payload) : "";
}

std::string SqlStateOf(const Status& status) {
  if (status.ok()) return std::string(sqlstate::kSuccessfulCompletion);
  const auto payload = status.GetPayload(kPayloadUrl);
  return payload.has_value() ? std::string(*payload) : std::string(sqlstate::kInternalError);
}

}  // namespace pgweir
