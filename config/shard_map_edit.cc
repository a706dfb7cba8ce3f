#include "config/shard_map_edit.h"

#include <algorithm>
#include <vector>

#include "config/faults.h"
#include "config/toml_document.h"

namespace pgweir::config {
namespace {

Status Refused(std::string_view message) { return Error(sqlstate::kConfigFileError, message); }

Status OddLayout(const ShardMap& map) {
  return Errorf(sqlstate::kConfigFileError,
                "{}: has patterns that don't stand on lines of their own in [shards]: edit it by "
                "hand, then RELOAD",
                map.path);
}

// As a basic string of TOML.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

// The text of a file, by the places that the parser tells.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  // Where in the text the place is. Columns are characters.
  size_t OffsetOf(Position at) const {
    size_t offset = 0;
    for (uint32_t line = 1; line < at.line && offset < text_.size(); ++line) {
      offset = EndOf(offset);
    }
    for (uint32_t column = 1; column < at.column && offset < text_.size(); ++column) {
      do ++offset;
      while (offset < text_.size() && (static_cast<unsigned char>(text_[offset]) & 0xc0) == 0x80);
    }
    return offset;
  }
  size_t BeginOf(size_t offset) const {
    const size_t before = offset == 0 ? text_.npos : text_.rfind('\n', offset - 1);
    return before == text_.npos ? 0 : before + 1;
  }
  // Behind the line's end.
  size_t EndOf(size_t offset) const {
    const size_t end = text_.find('\n', offset);
    return end == text_.npos ? text_.size() : end + 1;
  }

 private:
  std::string_view text_;
};

// One pattern's line.
struct Line {
  size_t begin = 0, key = 0, key_end = 0, value = 0, value_end = 0, end = 0;
};

// A line of nothing but this entry and perhaps a comment.
bool StandsAlone(std::string_view text, const Line& line) {
  const std::string_view behind = text.substr(line.value_end, line.end - line.value_end);
  const size_t first = behind.find_first_not_of(" \t\r\n");
  return IsBlank(text.substr(line.begin, line.key - line.begin)) &&
         (first == behind.npos || behind[first] == '#');
}

class Editor {
 public:
  explicit Editor(const ShardMap& map) : map_(map), text_(map.text) {}

  StatusOr<std::string> Set(std::string_view pattern, std::string_view node) {
    if (Status read = Read(); !read.ok()) return read;
    const TomlEntry* const entry = FindEntry(shards_, pattern);
    std::string edited = text_;
    if (entry != nullptr) {
      const Line line = LineOf(*entry);
      return edited.replace(line.value, line.value_end - line.value, Quoted(node));
    }
    const Line line = LineOf(Last());
    if (!StandsAlone(text_, line)) return OddLayout(map_);
    return edited.insert(line.end, Like(line, Quoted(pattern), Quoted(node)));
  }

  StatusOr<std::string> Drop(std::string_view pattern) {
    if (pattern == "*") {
      return Refused("the pattern \"*\" can't be dropped: every symbol needs a node");
    }
    if (Status read = Read(); !read.ok()) return read;
    const TomlEntry* const entry = FindEntry(shards_, pattern);
    if (entry == nullptr) {
      return Errorf(sqlstate::kConfigFileError, "{}: has no pattern {}", map_.path,
                    ShownKey(pattern));
    }
    const Line line = LineOf(*entry);
    if (!StandsAlone(text_, line)) return OddLayout(map_);
    std::string edited = text_;
    return edited.erase(line.begin, line.end - line.begin);
  }

 private:
  Status Read() {
    const auto document = ParseToml(text_, map_.path);
    if (!document.ok()) return document.status();
    const TomlEntry* const shards = FindEntry(std::get<TomlTable>(document->value), "shards");
    const auto* const table =
        shards == nullptr ? nullptr : std::get_if<TomlTable>(&shards->value.value);
    if (table == nullptr || table->empty()) return OddLayout(map_);
    shards_ = *table;
    return absl::OkStatus();
  }

  Line LineOf(const TomlEntry& entry) const {
    Line line;
    line.key = lines_.OffsetOf(entry.at);
    line.key_end = lines_.OffsetOf(entry.key_end);
    line.value = lines_.OffsetOf(entry.value.at);
    line.value_end = lines_.OffsetOf(entry.value.end);
    line.begin = lines_.BeginOf(line.key);
    line.end = lines_.EndOf(line.value_end);
    return line;
  }

  // The last in the file but for "*", which mostly has a comment above it.
  const TomlEntry& Last() const {
    const TomlEntry* last = nullptr;
    for (const TomlEntry& entry : shards_) {
      const bool later = last == nullptr || last->key == "*" || entry.at > last->at;
      if (later && (last == nullptr || entry.key != "*")) last = &entry;
    }
    return *last;
  }

  // A new line laid out as `line` is: indented so, and with its sign in the same column.
  std::string Like(const Line& line, std::string key, std::string_view value) const {
    const std::string_view between =
        std::string_view(text_).substr(line.key_end, line.value - line.key_end);
    const size_t sign = std::min(between.find('='), between.size());
    const size_t width = line.key_end - line.key + sign;
    key.resize(std::max(width, key.size() + (sign > 0 ? 1 : 0)), ' ');
    const std::string_view whole =
        std::string_view(text_).substr(line.begin, line.end - line.begin);
    const bool ended = whole.ends_with('\n');
    const std::string_view ending = whole.ends_with("\r\n") ? "\r\n" : "\n";
    return fmt::format("{}{}{}{}{}{}", ended ? "" : ending, whole.substr(0, line.key - line.begin),
                       key, between.substr(sign), value, ended ? ending : "");
  }

  const ShardMap& map_;
  const std::string& text_;
  const Lines lines_{text_};
  TomlTable shards_;
};

std::vector<SymbolPattern> Sorted(std::vector<SymbolPattern> patterns) {
  std::sort(patterns.begin(), patterns.end(), [](const SymbolPattern& a, const SymbolPattern& b) {
    return a.Written() < b.Written();
  });
  return patterns;
}

}  // namespace

StatusOr<std::string> WithPattern(const ShardMap& map, std::string_view pattern,
                                  std::string_view node) {
  return Editor(map).Set(pattern, node);
}

StatusOr<std::string> WithoutPattern(const ShardMap& map, std::string_view pattern) {
  return Editor(map).Drop(pattern);
}

bool DiffersOnlyIn(const ShardMap& edited, const ShardMap& map, std::string_view pattern,
                   const std::optional<std::string>& node) {
  std::vector<SymbolPattern> intended = map.patterns;
  std::erase_if(intended, [&](const SymbolPattern& p) { return p.Written() == pattern; });
  if (node.has_value()) {
    const bool prefix = pattern.ends_with('*');
    pattern.remove_suffix(prefix ? 1 : 0);
    intended.push_back({std::string(pattern), prefix, *node});
  }
  return Sorted(edited.patterns) == Sorted(std::move(intended)) && edited.sharded == map.sharded &&
         edited.replicated == map.replicated;
}

}  // namespace pgweir::config
