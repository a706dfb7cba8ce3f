#include "wire/result_messages.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "wire/message_writer.h"
#include "wire/protocol.h"

namespace pgweir::wire {
namespace {

constexpr uint32_t kNull = UINT32_MAX;  // as a value's length
constexpr uint16_t kNumericNegative = 0x4000;
constexpr size_t kNumericDigits = 4;  // decimal ones a digit of base 10000

void AppendBigEndian(std::string& out, uint64_t value, size_t bytes) {
  for (size_t i = bytes; i > 0; --i) out += static_cast<char>(value >> (8 * (i - 1)));
}

uint64_t ParseInteger(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return static_cast<uint64_t>(value);
}

// numeric_send's form: the number of digits in base 10000, the weight of the first, sign, scale,
// digits; without leading zeros.
std::string NumericBinary(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const size_t point = std::min(text.find('.'), text.size());
  const std::string_view fraction = text.substr(std::min(point + 1, text.size()));
  std::string decimals((kNumericDigits - point % kNumericDigits) % kNumericDigits, '0');
  decimals += text.substr(0, point);
  size_t weight = decimals.size() / kNumericDigits;  // of the first digit, plus one
  decimals += fraction;
  decimals.resize((decimals.size() + kNumericDigits - 1) / kNumericDigits * kNumericDigits, '0');
  std::vector<uint64_t> digits;
  for (size_t at = 0; at < decimals.size(); at += kNumericDigits) {
    const uint64_t digit = ParseInteger(std::string_view(decimals).substr(at, kNumericDigits));
    if (digits.empty() && digit == 0) {
      --weight;
    } else {
      digits.push_back(digit);
    }
  }
  if (digits.empty()) weight = 1;
  std::string out;
  AppendBigEndian(out, digits.size(), 2);
  AppendBigEndian(out, weight - 1, 2);
  AppendBigEndian(out, negative ? kNumericNegative : 0, 2);
  AppendBigEndian(out, fraction.size(), 2);
  for (const uint64_t digit : digits) AppendBigEndian(out, digit, 2);
  return out;
}

std::string Binary(ColumnType type, const std::string& text) {
  std::string out;
  switch (type) {
    case ColumnType::kInt4:
      AppendBigEndian(out, ParseInteger(text), 4);
      return out;
    case ColumnType::kInt8:
      AppendBigEndian(out, ParseInteger(text), 8);
      return out;
    case ColumnType::kNumeric:
      return NumericBinary(text);
    case ColumnType::kText:
      break;
  }
  return text;
}

uint16_t SizeOf(ColumnType type) {
  if (type == ColumnType::kInt4) return 4;
  if (type == ColumnType::kInt8) return 8;
  return UINT16_MAX;  // -1: varies
}

}  // namespace

Format FormatOf(std::span<const Format> formats, size_t column) {
  if (formats.size() == 1) return formats[0];
  return column < formats.size() ? formats[column] : Format::kText;
}

void AppendRowDescription(std::string& out, std::span<const Column> columns,
                          std::span<const Format> formats) {
  MessageWriter message(out, backend::kRowDescription);
  message.Int16(static_cast<uint16_t>(columns.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    message.Text(columns[i].name);
    message.Int32(0);  // of no table
    message.Int16(0);
    message.Int32(static_cast<uint32_t>(columns[i].type));
    message.Int16(SizeOf(columns[i].type));
    message.Int32(UINT32_MAX);  // -1: no type modifier
    message.Int16(static_cast<uint16_t>(FormatOf(formats, i)));
  }
}

void AppendDataRow(std::string& out, std::span<const Column> columns,
                   std::span<const std::optional<std::string>> values,
                   std::span<const Format> formats) {
  MessageWriter message(out, backend::kDataRow);
  message.Int16(static_cast<uint16_t>(columns.size()));
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i >= values.size() || !values[i].has_value()) {
      message.Int32(kNull);
      continue;
    }
    const bool binary = FormatOf(formats, i) == Format::kBinary;
    const std::string value = binary ? Binary(columns[i].type, *values[i]) : *values[i];
    message.Int32(static_cast<uint32_t>(value.size()));
    message.Raw(value);
  }
}

void AppendParameterDescription(std::string& out) {
  MessageWriter(out, backend::kParameterDescription).Int16(0);
}

void AppendNoData(std::string& out) { MessageWriter(out, backend::kNoData); }

void AppendBindComplete(std::string& out) { MessageWriter(out, backend::kBindComplete); }

void AppendCloseComplete(std::string& out) { MessageWriter(out, backend::kCloseComplete); }

void AppendPortalSuspended(std::string& out) { MessageWriter(out, backend::kPortalSuspended); }

}  // namespace pgweir::wire
