#include "router/text_array.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "router/char_class.h"
#include "router/text_types.h"

namespace pgweir::router {
namespace {

constexpr int kMaxDimensions = 6;  // PostgreSQL's MAXDIM

// array_in takes these for white space (array_isspace).
bool IsArraySpace(char c) { return Is(c, kSpace) || c == '\v'; }

class ArrayParser {
 public:
  explicit ArrayParser(std::string_view text) : text_(text) {}

  bool Parse(TextArray& array) {
    SkipSpace();
    if (!ParseBraces(array, 1)) return false;
    SkipSpace();
    return at_ == text_.size();
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && IsArraySpace(text_[at_])) ++at_;
  }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool ParseBraces(TextArray& array, int dimension) {
    if (dimension > kMaxDimensions || !Take('{')) return false;
    SkipSpace();
    if (Take('}')) return true;
    do {
      SkipSpace();
      const bool inner = at_ < text_.size() && text_[at_] == '{';
      if (inner ? !ParseBraces(array, dimension + 1) : !ParseElement(array)) return false;
      SkipSpace();
    } while (Take(','));
    return Take('}');
  }

  bool ParseElement(TextArray& array) {
    if (at_ < text_.size() && text_[at_] == '"') return ParseQuoted(array);
    std::string value;
    size_t end = 0;  // of what is not white space
    bool escaped = false;
    while (at_ < text_.size() && std::strchr(",{}\"", text_[at_]) == nullptr) {
      if (text_[at_] == '\\') {
        escaped = true;
        if (++at_ >= text_.size()) return false;
        value += text_[at_++];
        end = value.size();
        continue;
      }
      const char c = text_[at_++];
      value += c;
      if (!IsArraySpace(c)) end = value.size();
    }
    value.resize(end);
    if (value.empty()) return false;
    if (!escaped && IsNull(value)) {
      array.emplace_back(std::nullopt);
    } else {
      array.emplace_back(std::move(value));
    }
    return true;
  }

  bool ParseQuoted(TextArray& array) {
    std::string value;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        array.emplace_back(std::move(value));
        return true;
      }
      if (text_[at_] == '\\' && ++at_ >= text_.size()) return false;
      value += text_[at_];
    }
    return false;
  }

  static bool IsNull(std::string_view value) {
    return value.size() == 4 && Fold(value[0]) == 'n' && Fold(value[1]) == 'u' &&
           Fold(value[2]) == 'l' && Fold(value[3]) == 'l';
  }

  std::string_view text_;
  size_t at_ = 0;
};

// Big-endian integers from the front of some bytes.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool Int32(int32_t& value) {
    if (bytes_.size() < 4) return false;
    uint32_t raw = 0;
    for (size_t i = 0; i < 4; ++i) raw = raw << 8 | static_cast<uint8_t>(bytes_[i]);
    value = std::bit_cast<int32_t>(raw);
    bytes_.remove_prefix(4);
    return true;
  }
  bool Bytes(int32_t count, std::string_view& bytes) {
    if (count < 0 || static_cast<size_t>(count) > bytes_.size()) return false;
    bytes = bytes_.substr(0, static_cast<size_t>(count));
    bytes_.remove_prefix(bytes.size());
    return true;
  }
  size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

void AppendInt32(uint32_t value, std::string& bytes) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
}

}  // namespace

std::optional<TextArray> ParseTextArray(std::string_view text) {
  TextArray array;
  if (!ArrayParser(text).Parse(array)) return std::nullopt;
  return array;
}

std::optional<TextArray> DecodeTextArray(std::string_view bytes) {
  ByteReader reader(bytes);
  int32_t dimensions = 0;
  int32_t flags = 0;
  int32_t type = 0;
  if (!reader.Int32(dimensions) || !reader.Int32(flags) || !reader.Int32(type)) return std::nullopt;
  if (dimensions < 0 || dimensions > kMaxDimensions) return std::nullopt;
  if (!IsTextType(static_cast<uint32_t>(type))) return std::nullopt;
  uint64_t elements = dimensions == 0 ? 0 : 1;
  for (int32_t i = 0; i < dimensions; ++i) {
    int32_t size = 0;
    int32_t low = 0;
    if (!reader.Int32(size) || !reader.Int32(low) || size < 0) return std::nullopt;
    elements *= static_cast<uint64_t>(size);
    // Each element takes four bytes at least.
    if (elements > bytes.size() / 4) return std::nullopt;
  }
  TextArray array;
  array.reserve(elements);
  for (uint64_t i = 0; i < elements; ++i) {
    int32_t length = 0;
    if (!reader.Int32(length)) return std::nullopt;
    if (length == -1) {
      array.emplace_back(std::nullopt);
      continue;
    }
    std::string_view value;
    if (!reader.Bytes(length, value)) return std::nullopt;
    array.emplace_back(std::string(value));
  }
  if (reader.left() != 0) return std::nullopt;
  return array;
}

bool IsNestedTextArray(std::string_view text) {
  size_t at = text.find('{') + 1;
  while (at < text.size() && IsArraySpace(text[at])) ++at;
  return at < text.size() && text[at] == '{';
}

bool IsNestedBinaryArray(std::string_view bytes) {
  int32_t dimensions = 0;
  return ByteReader(bytes).Int32(dimensions) && dimensions > 1;
}

uint32_t ElementTypeOf(std::string_view bytes) {
  int32_t type = 0;
  ByteReader(bytes.substr(8)).Int32(type);
  return static_cast<uint32_t>(type);
}

std::string FormatTextArray(const TextArray& array) {
  std::string text = "{";
  for (const auto& element : array) {
    if (text.size() > 1) text += ',';
    if (!element) {
      text += "NULL";
      continue;
    }
    text += '"';
    for (const char c : *element) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

std::string EncodeTextArray(const TextArray& array, uint32_t element_type) {
  const bool nulls =
      std::any_of(array.begin(), array.end(), [](const auto& element) { return !element; });
  std::string bytes;
  AppendInt32(array.empty() ? 0 : 1, bytes);
  AppendInt32(nulls ? 1 : 0, bytes);
  AppendInt32(element_type, bytes);
  if (array.empty()) return bytes;
  AppendInt32(static_cast<uint32_t>(array.size()), bytes);
  AppendInt32(1, bytes);
  for (const auto& element : array) {
    AppendInt32(element ? static_cast<uint32_t>(element->size()) : 0xffffffff, bytes);
    if (element) bytes += *element;
  }
  return bytes;
}

}  // namespace pgweir::router
