#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "config/toml_document.h"

// PgBouncer's ini as a list of entries that know where they stand. A line is a comment (';' or '#'
// first), "[section]", "key = value" to the end of the line, or "%include file".

namespace pgweir::config {

// Where something stands: `file` counts the files of one IniDocument.
struct IniPlace {
  size_t file = 0;
  Position at;
};

struct IniEntry {
  std::string section;
  std::string key;  // "" for the line that begins the section
  std::string value;
  IniPlace key_at, value_at;

  bool begins_section() const { return key.empty(); }
  // Of the character `offset` bytes into the value.
  IniPlace PlaceIn(size_t offset) const;
};

struct IniFault {
  IniPlace place;
  std::string message;
};

struct IniDocument {
  std::vector<std::string> files;  // paths, the first of what was parsed
  std::vector<IniEntry> entries;
  std::vector<IniFault> faults;  // lines that are none of the above, files that can't be read
};

using ReadIncluded = std::function<StatusOr<std::string>(const std::string& path)>;

// A file named by %include stands where its line is: a section that it begins goes on behind it.
IniDocument ParseIni(std::string_view text, const std::string& path, const ReadIncluded& read);

struct IniPair {
  std::string key;
  std::string value;
  size_t key_offset = 0;  // in the text
  size_t value_offset = 0;
};

// "host=h password='it''s'": pairs with blanks between, a value with blanks in single quotes, a
// quote inside them doubled. Ends at the first fault, with its offset.
struct IniPairs {
  std::vector<IniPair> pairs;
  std::string fault;  // "" = none
  size_t fault_offset = 0;
};
IniPairs ParsePairs(std::string_view text);

}  // namespace pgweir::config
