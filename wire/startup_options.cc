#include <algorithm>

#include "wire/startup.h"

namespace pgweir::wire {
namespace {

constexpr std::string_view kInvalidParameterValue = "22023";

// isspace() of the C locale.
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The words of `options`. A backslash keeps the character behind it; one at the very end is
// dropped.
std::vector<std::string> SplitWords(std::string_view options) {
  std::vector<std::string> words;
  size_t i = 0;
  while (true) {
    while (i < options.size() && IsSpace(options[i])) ++i;
    if (i == options.size()) return words;
    std::string word;
    for (; i < options.size() && !IsSpace(options[i]); ++i) {
      if (options[i] == '\\' && ++i == options.size()) break;
      word += options[i];
    }
    words.push_back(std::move(word));
  }
}

Status AddSetting(std::string_view assignment, std::string_view option,
                  std::vector<std::pair<std::string, std::string>>& settings) {
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    return Errorf(kInvalidParameterValue, "{}{} requires a value", option, assignment);
  }
  std::string name(assignment.substr(0, equals));
  if (name.empty()) {
    return Errorf(kInvalidParameterValue, "{}{} requires a name", option, assignment);
  }
  std::replace(name.begin(), name.end(), '-', '_');
  settings.emplace_back(std::move(name), assignment.substr(equals + 1));
  return absl::OkStatus();
}

}  // namespace

StatusOr<std::vector<std::pair<std::string, std::string>>> SplitOptions(std::string_view options) {
  const std::vector<std::string> words = SplitWords(options);
  std::vector<std::pair<std::string, std::string>> settings;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    Status status;
    if (word == "-c" && i + 1 < words.size()) {
      status = AddSetting(words[++i], "-c ", settings);
    } else if (word.size() > 2 && word.starts_with("-c")) {
      status = AddSetting(word.substr(2), "-c ", settings);
    } else if (word.size() > 2 && word.starts_with("--")) {
      status = AddSetting(word.substr(2), "--", settings);
    } else {
      status = Errorf(kInvalidParameterValue,
                      "invalid command-line argument for server process: {}", word);
    }
    if (!status.ok()) return status;
  }
  return settings;
}

}  // namespace pgweir::wire
