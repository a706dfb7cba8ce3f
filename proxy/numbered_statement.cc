#include "proxy/numbered_statement.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "wire/byte_reader.h"
#include "wire/message_writer.h"

namespace pgweir::proxy {
namespace {

constexpr uint32_t kNull = UINT32_MAX;

void AppendNumber(wire::MessageWriter& message, const std::string& number, bool binary) {
  if (!binary) {
    message.Int32(static_cast<uint32_t>(number.size()));
    return message.Raw(number);
  }
  int64_t value = 0;
  static_cast<void>(absl::SimpleAtoi(number, &value));
  message.Int32(sizeof value);
  message.Int32(static_cast<uint32_t>(static_cast<uint64_t>(value) >> 32));
  message.Int32(static_cast<uint32_t>(value));
}

// What a Bind has behind its names.
struct BoundValues {
  size_t formats = 0;
  std::string_view format_codes;
  size_t count = 0;
  std::string_view values;
  std::string_view results;  // their formats
};

std::optional<BoundValues> ReadValues(wire::ByteReader reader) {
  BoundValues bound;
  const auto formats = reader.Int16();
  if (!formats) return std::nullopt;
  bound.formats = *formats;
  const auto codes = reader.Take(bound.formats * 2);
  const auto count = reader.Int16();
  if (!codes || !count) return std::nullopt;
  bound.format_codes = *codes;
  bound.count = *count;
  const std::string_view values = reader.rest();
  for (size_t i = 0; i < bound.count; ++i) {
    const auto length = reader.Int32();
    if (!length || (*length != kNull && !reader.Take(*length))) return std::nullopt;
  }
  bound.values = values.substr(0, values.size() - reader.rest().size());
  bound.results = reader.rest();
  return bound;
}

}  // namespace

size_t ParametersOf(std::string_view types, const router::Facts& facts) {
  const int declared = wire::ByteReader(wire::AsBytes(types)).Int16().value_or(0);
  return static_cast<size_t>(std::max(facts.parameters, declared));
}

NumberedStatementRef MakeNumbered(router::DrawnNumbersRef drawn, std::string_view text,
                                  std::string_view types, const router::Facts& facts,
                                  const router::SqlScan& scan) {
  const size_t own = ParametersOf(types, facts);
  if (own + drawn->values.size() > kMostParameters) return nullptr;
  auto numbered = std::make_shared<NumberedStatement>();
  numbered->own = static_cast<int>(own);
  const auto edits = router::NumberEdits(*drawn, text, scan.tokens(), [&](size_t i) {
    return router::NumberParameter(numbered->own + 1 + static_cast<int>(i),
                                   drawn->SequenceOf(drawn->values[i]));
  });
  if (!edits) return nullptr;
  EditedText edited(text);
  for (const router::TextEdit& edit : *edits) edited.Replace(edit.span, edit.text);
  numbered->shifts = edited.TakeShifts();
  numbered->text = std::move(edited).Finish();
  numbered->drawn = std::move(drawn);
  return numbered;
}

Status AppendNumberedBind(std::string& out, std::string_view body, std::string_view server_name,
                          const NumberedStatement& statement,
                          const std::vector<std::string>* numbers) {
  wire::ByteReader reader(wire::AsBytes(body));
  const std::string_view portal = reader.Text().value_or("");
  const std::string_view name = reader.Text().value_or("");
  const auto bound = ReadValues(reader);
  if (!bound) return Error(sqlstate::kProtocolViolation, "insufficient data left in message");
  if (bound->formats > 1 && bound->formats != bound->count) {
    return Errorf(sqlstate::kProtocolViolation,
                  "bind message has {} parameter formats but {} parameters", bound->formats,
                  bound->count);
  }
  if (static_cast<int>(bound->count) != statement.own) {
    return Errorf(sqlstate::kProtocolViolation,
                  "bind message supplies {} parameters, but prepared statement \"{}\" requires {}",
                  bound->count, name, statement.own);
  }
  const size_t more = statement.drawn->values.size();
  wire::MessageWriter message(out, wire::frontend::kBind);
  message.Text(portal);
  message.Text(server_name);
  // None: all are text. One: all are like it.
  const bool each = bound->formats > 1;
  message.Int16(static_cast<uint16_t>(bound->formats + (each ? more : 0)));
  message.Raw(bound->format_codes);
  for (size_t i = 0; each && i < more; ++i) message.Int16(0);
  const bool binary = bound->formats == 1 && bound->format_codes != std::string_view("\0\0", 2);
  message.Int16(static_cast<uint16_t>(bound->count + more));
  message.Raw(bound->values);
  for (size_t i = 0; i < more; ++i) {
    if (numbers == nullptr) {
      message.Int32(kNull);
    } else {
      AppendNumber(message, (*numbers)[i], binary);
    }
  }
  message.Raw(bound->results);
  return absl::OkStatus();
}

void AppendOwnDescription(std::string& out, std::string_view body, int own) {
  constexpr size_t kCount = 2;
  const size_t types = size_t{4} * static_cast<size_t>(own);
  if (body.size() < kCount + types) return;  // no server says that
  wire::MessageWriter message(out, wire::backend::kParameterDescription);
  message.Int16(static_cast<uint16_t>(own));
  message.Raw(body.substr(kCount, types));
}

}  // namespace pgweir::proxy
