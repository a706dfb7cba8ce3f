#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "config/toml_document.h"

// Everything that is wrong with one configuration file, collected so that a DBA sees it at once.

namespace pgweir::config {

class Faults {
 public:
  explicit Faults(std::string path) : path_(std::move(path)) {}

  void Add(Position at, std::string_view message);
  // A fault of another file, with that file's position in the message already.
  void AddOfOtherFile(std::string message);

  // Where to note each key that is asked for, whether the file has it or not.
  void set_asked_for(std::set<std::string>* keys) { asked_for_ = keys; }
  void NoteAskedFor(std::string key) {
    if (asked_for_ != nullptr) asked_for_->insert(std::move(key));
  }

  // OK without faults, else one line a fault in the order of the file; many are cut short.
  Status ToStatus() const;

 private:
  std::string path_;
  std::multimap<Position, std::string> faults_;
  size_t dropped_ = 0;  // more than anybody reads are only counted
  std::vector<std::string> of_other_files_;
  std::set<std::string>* asked_for_ = nullptr;
};

// A name from the file as messages show it: bare if it may stand bare in TOML, else in quotes with
// control characters replaced and its length bounded.
std::string ShownKey(std::string_view key);

// How many characters to insert, remove or replace to make one of the other.
size_t EditDistance(std::string_view a, std::string_view b);

}  // namespace pgweir::config
