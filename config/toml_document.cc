#include "config/toml_document.h"

#include <algorithm>

namespace pgweir::config {
struct ParserStopped {};
[[noreturn]] static void StopParser() { throw ParserStopped{}; }
}  // namespace pgweir::config

// The library asserts that a table's name starts with a character that a name may have, which is
// for the file to decide: its assertions must end the parse, never the process, and be there
// whatever the build.
#undef NDEBUG
#define TOML_ASSERT(expression) \
  (static_cast<bool>(expression) ? void() : pgweir::config::StopParser())
#define TOML_EXCEPTIONS 1
// With kMaxDotsInLine it keeps the tree shallow: the library's parser and destructors recurse.
#define TOML_MAX_NESTED_VALUES 16
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace pgweir::config {
namespace {

// Each dot of a dotted key nests a table, so dots are counted, whatever they stand for.
constexpr int kMaxDotsInLine = 256;
constexpr size_t kMaxBytes = 16 << 20;
// Longer quotations in the parser's messages may be pieces of a value.
constexpr size_t kMaxQuoted = 4;

Status SyntaxError(const std::string& path, Position at, std::string_view message) {
  return Errorf(sqlstate::kConfigFileError, "{}:{}:{}: {}", path, at.line, at.column, message);
}

Position PositionOf(const toml::source_region& region) {
  return {std::max<uint32_t>(1, region.begin.line), std::max<uint32_t>(1, region.begin.column)};
}

// The description without what it quotes of a value, which may be a password with its quotes
// forgotten. Names of keys stay.
std::string WithoutValues(std::string_view description) {
  if (description.find("redefine") != std::string_view::npos) return std::string(description);
  std::string kept;
  while (true) {
    const size_t open = description.find('\'');
    const size_t close = open == std::string_view::npos ? open : description.find('\'', open + 1);
    if (close == std::string_view::npos) return kept.append(description);
    const bool is_short = close - open - 1 <= kMaxQuoted;
    kept.append(description.substr(0, open));
    kept.append(is_short ? description.substr(open, close - open + 1) : "this");
    description.remove_prefix(close + 1);
  }
}

Status CheckBounds(std::string_view text, const std::string& path) {
  if (text.size() > kMaxBytes) return SyntaxError(path, {}, "longer than 16 MiB");
  Position at;
  int dots = 0;
  for (const char c : text) {
    if (c == '\n') {
      ++at.line;
      dots = 0;
    } else if (c == '.' && ++dots > kMaxDotsInLine) {
      return SyntaxError(path, at, "more than 256 dots in one line; break the line");
    }
  }
  return absl::OkStatus();
}

bool StopsParser(std::string_view text) {
  try {
    (void)toml::parse(text);
    return false;
  } catch (const toml::parse_error&) {
    return false;
  } catch (const ParserStopped&) {
    return true;
  }
}

// The place of the character that stops the parser, which is the last of the shortest beginning of
// `text` that does.
Position StoppingPosition(std::string_view text) {
  size_t passes = 0;
  size_t stops = text.size();
  while (stops - passes > 1) {
    const size_t middle = passes + (stops - passes) / 2;
    (StopsParser(text.substr(0, middle)) ? stops : passes) = middle;
  }
  Position at;
  for (const char c : text.substr(0, passes)) {
    const bool continues_character = (static_cast<unsigned char>(c) & 0xc0) == 0x80;
    if (!continues_character) ++at.column;
    if (c == '\n') at = {at.line + 1, 1};
  }
  return at;
}

TomlValue ToValue(const toml::node& node);

TomlTable ToTable(const toml::table& table) {
  TomlTable entries;
  entries.reserve(table.size());
  for (const auto& [key, value] : table) {
    entries.push_back({std::string(key.str()), PositionOf(key.source()), ToValue(value)});
  }
  return entries;
}

TomlArray ToArray(const toml::array& array) {
  TomlArray values;
  values.reserve(array.size());
  for (const auto& value : array) values.push_back(ToValue(value));
  return values;
}

TomlValue ToValue(const toml::node& node) {
  TomlValue result{PositionOf(node.source()), TomlMoment{}};
  if (const auto* table = node.as_table()) {
    result.value = ToTable(*table);
  } else if (const auto* array = node.as_array()) {
    result.value = ToArray(*array);
  } else if (const auto* text = node.as_string()) {
    result.value = text->get();
  } else if (const auto* integer = node.as_integer()) {
    result.value = integer->get();
  } else if (const auto* real = node.as_floating_point()) {
    result.value = real->get();
  } else if (const auto* boolean = node.as_boolean()) {
    result.value = boolean->get();
  }
  return result;
}

}  // namespace

const TomlEntry* FindEntry(const TomlTable& table, std::string_view key) {
  const auto it = std::find_if(table.begin(), table.end(),
                               [key](const TomlEntry& entry) { return entry.key == key; });
  return it == table.end() ? nullptr : &*it;
}

StatusOr<TomlValue> ParseToml(std::string_view text, const std::string& path) {
  const Status bounds = CheckBounds(text, path);
  if (!bounds.ok()) return bounds;
  try {
    return ToValue(toml::parse(text));
  } catch (const toml::parse_error& error) {
    return SyntaxError(path, PositionOf(error.source()),
                       "not valid TOML: " + WithoutValues(error.description()));
  } catch (const ParserStopped&) {
    return SyntaxError(path, StoppingPosition(text),
                       "not valid TOML: unexpected character at the start of a name");
  }
}

}  // namespace pgweir::config
