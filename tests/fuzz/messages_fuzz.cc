#include <vector>

#include "base/check.h"
#include "wire/messages.h"

namespace pgweir::wire {
namespace {

void CheckInside(Bytes body, std::string_view view) {
  if (view.empty()) return;
  const std::string_view all = AsText(body);
  PGWEIR_CHECK(view.data() >= all.data() && view.data() + view.size() <= all.data() + all.size());
}

void CheckText(Bytes body, const StatusOr<std::string_view>& text) {
  if (!text.ok()) return;
  CheckInside(body, *text);
  PGWEIR_CHECK(text->size() + 1 == body.size());
}

void Read(uint8_t reader, Bytes body) {
  switch (reader % 7) {
    case 0:
      if (const auto fields = ReadErrorFields(body); fields.ok()) {
        for (const std::string_view field :
             {fields->severity, fields->sqlstate, fields->message, fields->detail, fields->hint}) {
          CheckInside(body, field);
        }
        std::string rebuilt;
        AppendErrorResponse(rebuilt, *fields);
        const auto again = ReadErrorFields(AsBytes(rebuilt).subspan(kHeaderSize));
        PGWEIR_CHECK(again.ok() && again->message == fields->message);
      }
      break;
    case 1:
      if (const auto parameter = ReadParameterStatus(body); parameter.ok()) {
        CheckInside(body, parameter->name);
        CheckInside(body, parameter->value);
        PGWEIR_CHECK(parameter->name.size() + parameter->value.size() + 2 == body.size());
      }
      break;
    case 2:
      PGWEIR_CHECK(!ReadReadyForQuery(body).ok() || body.size() == 1);
      break;
    case 3:
      CheckText(body, ReadCommandTag(body));
      break;
    case 4:
      CheckText(body, ReadQuery(body));
      break;
    case 5:
      CheckText(body, ReadPassword(body));
      break;
    default:
      if (const auto sasl = ReadSaslInitialResponse(body); sasl.ok()) {
        CheckInside(body, sasl->mechanism);
        if (sasl->data.has_value()) CheckInside(body, *sasl->data);
      }
  }
}

}  // namespace
}  // namespace pgweir::wire

// The first byte picks the reader, the rest is the body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  pgweir::wire::Read(data[0], std::as_bytes(std::span(data, size).subspan(1)));
  return 0;
}
