#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::router {

// The elements of an array of text, whatever its dimensions; nothing stands for NULL.
using TextArray = std::vector<std::optional<std::string>>;

// Reads what array_in would ({a,"b c",NULL}). Nothing when it is not written so, or with its
// bounds.
std::optional<TextArray> ParseTextArray(std::string_view text);

// Reads the binary form. Nothing when it is malformed or its elements are not of type text, varchar
// or bpchar.
std::optional<TextArray> DecodeTextArray(std::string_view bytes);

// Of what ParseTextArray or DecodeTextArray has read: whether it has several dimensions, and the
// type that the binary form names.
bool IsNestedTextArray(std::string_view text);
bool IsNestedBinaryArray(std::string_view bytes);
uint32_t ElementTypeOf(std::string_view bytes);

// As ParseTextArray and DecodeTextArray read it, with one dimension.
std::string FormatTextArray(const TextArray& array);
std::string EncodeTextArray(const TextArray& array, uint32_t element_type);

}  // namespace pgweir::router
