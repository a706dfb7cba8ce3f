#include "config/ini_document.h"

#include <algorithm>

namespace pgweir::config {
namespace {

constexpr size_t kMaxDepth = 10;
constexpr size_t kMaxFiles = 1000;
constexpr size_t kMaxFaults = 1000;  // Faults shows a few; a binary file has one a line

bool IsBlank(char c) { return c == ' ' || c == '\t' || (c >= '\n' && c <= '\r'); }

bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || c == '*';
}

uint32_t Characters(std::string_view text) {
  return static_cast<uint32_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

class Parser {
 public:
  explicit Parser(const ReadIncluded& read) : read_(read) {}

  void File(std::string_view text, const std::string& path);
  IniDocument Take() { return std::move(document_); }

 private:
  // The line being read, of the file being read.
  struct Line {
    std::string_view text;
    size_t at = 0;
    IniPlace begin;

    bool AtEnd() const { return at == text.size(); }
    char Here() const { return AtEnd() ? '\0' : text[at]; }
    void SkipBlanks() {
      while (!AtEnd() && IsBlank(text[at])) ++at;
    }
    // The rest without the blanks around it.
    std::string_view TakeRest() {
      SkipBlanks();
      std::string_view rest = text.substr(at);
      while (!rest.empty() && IsBlank(rest.back())) rest.remove_suffix(1);
      return rest;
    }
    IniPlace Place() const {
      IniPlace place = begin;
      place.at.column += Characters(text.substr(0, at));
      return place;
    }
  };

  void ReadLine(Line line);
  void ReadSection(Line& line);
  void ReadDirective(Line& line);
  void ReadEntry(Line& line);
  bool ReadKey(Line& line, std::string& key);
  void Include(IniPlace place, const std::string& path);
  void Fault(IniPlace place, std::string message);

  const ReadIncluded& read_;
  IniDocument document_;
  std::string section_;
  bool in_section_ = false;
  std::vector<std::string> open_;  // the files being read, outermost first
};

void Parser::Fault(IniPlace place, std::string message) {
  if (document_.faults.size() < kMaxFaults) document_.faults.push_back({place, std::move(message)});
}

void Parser::File(std::string_view text, const std::string& path) {
  const size_t file = document_.files.size();
  document_.files.push_back(path);
  open_.push_back(path);
  for (uint32_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    ReadLine({text.substr(0, end), 0, {file, {number, 1}}});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  open_.pop_back();
}

void Parser::ReadLine(Line line) {
  if (const size_t nul = line.text.find('\0'); nul != std::string_view::npos) {
    line.at = nul;
    return Fault(line.Place(), "unexpected character U+0000");
  }
  line.SkipBlanks();
  if (line.Here() == '[') ReadSection(line);
  // What stands behind "[section]" is read like a line of its own.
  line.SkipBlanks();
  if (line.AtEnd() || line.Here() == ';' || line.Here() == '#') return;
  if (line.Here() == '%') return ReadDirective(line);
  ReadEntry(line);
}

void Parser::ReadSection(Line& line) {
  const IniPlace place = line.Place();
  const size_t close = line.text.find(']', line.at);
  if (close == std::string_view::npos) {
    line.at = line.text.size();
    return Fault(place, "expected \"]\" behind the section's name");
  }
  section_ = line.text.substr(line.at + 1, close - line.at - 1);
  in_section_ = true;
  document_.entries.push_back({section_, "", "", place, place});
  line.at = close + 1;
}

void Parser::ReadDirective(Line& line) {
  constexpr std::string_view kInclude = "%include";
  const IniPlace place = line.Place();
  const std::string_view rest = line.text.substr(line.at);
  const bool includes = rest.substr(0, kInclude.size()) == kInclude &&
                        rest.size() > kInclude.size() && IsBlank(rest[kInclude.size()]);
  if (!includes) return Fault(place, "expected \"%include FILE\", the only directive there is");
  line.at += kInclude.size();
  const std::string path(line.TakeRest());
  if (path.empty()) return Fault(place, "expected the name of a file behind %include");
  Include(line.Place(), path);
}

void Parser::Include(IniPlace place, const std::string& path) {
  if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
    return Fault(place, fmt::format("{} includes itself", path));
  }
  if (open_.size() > kMaxDepth) {
    return Fault(place, fmt::format("more than {} files include each other", kMaxDepth));
  }
  if (document_.files.size() >= kMaxFiles) {
    return Fault(place, fmt::format("more than {} files", kMaxFiles));
  }
  const StatusOr<std::string> text = read_(path);
  if (!text.ok()) return Fault(place, fmt::format("{} {}", path, MessageOf(text.status())));
  File(*text, path);
}

// A name, or anything in double quotes with a quote inside doubled.
bool Parser::ReadKey(Line& line, std::string& key) {
  if (line.Here() != '"') {
    while (!line.AtEnd() && IsKeyCharacter(line.Here())) key += line.text[line.at++];
    return !key.empty();
  }
  for (++line.at; !line.AtEnd(); ++line.at) {
    if (line.Here() == '"') {
      ++line.at;
      if (line.Here() != '"') return !key.empty();
    }
    key += line.Here();
  }
  return false;
}

void Parser::ReadEntry(Line& line) {
  IniEntry entry;
  entry.section = section_;
  entry.key_at = line.Place();
  if (!ReadKey(line, entry.key)) {
    return Fault(entry.key_at, "expected a key, a [section] or a comment");
  }
  line.SkipBlanks();
  if (line.Here() != '=') return Fault(line.Place(), "expected \"=\" behind the key");
  ++line.at;
  entry.value = line.TakeRest();
  entry.value_at = line.Place();
  if (!in_section_) return Fault(entry.key_at, "a key must stand in a [section]");
  document_.entries.push_back(std::move(entry));
}

}  // namespace

IniPlace IniEntry::PlaceIn(size_t offset) const {
  IniPlace place = value_at;
  place.at.column += Characters(std::string_view(value).substr(0, offset));
  return place;
}

IniDocument ParseIni(std::string_view text, const std::string& path, const ReadIncluded& read) {
  Parser parser(read);
  parser.File(text, path);
  return parser.Take();
}

IniPairs ParsePairs(std::string_view text) {
  IniPairs result;
  size_t at = 0;
  const auto skip_blanks = [&] {
    while (at < text.size() && IsBlank(text[at])) ++at;
  };
  const auto fail = [&](size_t offset, std::string message) {
    result.fault = std::move(message);
    result.fault_offset = offset;
    return result;
  };
  for (skip_blanks(); at < text.size(); skip_blanks()) {
    IniPair pair;
    pair.key_offset = at;
    while (at < text.size() && text[at] != '=' && !IsBlank(text[at])) pair.key += text[at++];
    skip_blanks();
    if (pair.key.empty() || at == text.size() || text[at] != '=') {
      return fail(pair.key_offset, "expected key=value pairs with blanks between");
    }
    ++at;
    skip_blanks();
    pair.value_offset = at;
    if (at < text.size() && text[at] == '\'') {
      bool closed = false;
      for (++at; at < text.size() && !closed; ++at) {
        const bool quote = text[at] == '\'';
        const bool doubled = quote && at + 1 < text.size() && text[at + 1] == '\'';
        closed = quote && !doubled;
        if (doubled) ++at;
        if (!closed) pair.value += text[at];
      }
      if (!closed) return fail(pair.value_offset, "expected a single quote at the value's end");
    } else {
      while (at < text.size() && !IsBlank(text[at])) pair.value += text[at++];
    }
    if (pair.value.empty()) return fail(pair.value_offset, "a value must not be empty");
    result.pairs.push_back(std::move(pair));
  }
  return result;
}

}  // namespace pgweir::config
