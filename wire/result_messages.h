#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// Building the messages that carry a statement's result, for what pgweir answers itself. Each
// builder appends one whole message to `out`.

namespace pgweir::wire {

// The types that such results have, by their OIDs.
enum class ColumnType : uint32_t { kInt8 = 20, kInt4 = 23, kText = 25, kNumeric = 1700 };

struct Column {
  std::string_view name;
  ColumnType type;
};

// How a client wants a value: as text or as the type's binary form.
enum class Format : uint16_t { kText = 0, kBinary = 1 };

// The formats that a Bind asks for: none, one for all columns, or one for each.
Format FormatOf(std::span<const Format> formats, size_t column);

void AppendRowDescription(std::string& out, std::span<const Column> columns,
                          std::span<const Format> formats);
// `values` are texts, none = NULL; those of number columns are decimal digits with a sign at most.
void AppendDataRow(std::string& out, std::span<const Column> columns,
                   std::span<const std::optional<std::string>> values,
                   std::span<const Format> formats);
// Of a statement without parameters.
void AppendParameterDescription(std::string& out);
void AppendNoData(std::string& out);
void AppendBindComplete(std::string& out);
void AppendCloseComplete(std::string& out);
void AppendPortalSuspended(std::string& out);

}  // namespace pgweir::wire
