#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/faults.h"
#include "config/ini_document.h"

namespace pgweir::config {

// What is wrong with an ini and its included files, and what of it has no effect here.
class IniReport {
 public:
  // `document` outlives the report; its own faults are the first.
  explicit IniReport(const IniDocument& document);

  void Fault(IniPlace place, std::string_view message);
  void Warn(IniPlace place, std::string_view message);
  // A fault of a file that the ini names, with that file's position in the message already.
  void FaultOfOtherFile(std::string message) { faults_.AddOfOtherFile(std::move(message)); }

  Status ToStatus() const { return faults_.ToStatus(); }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::string At(IniPlace place, std::string_view message) const;

  const IniDocument& document_;
  Faults faults_;
  std::vector<std::string> warnings_;
};

// One value, read as PgBouncer reads its kind. What is wrong goes to the report, and reads as if
// the key were absent.
class IniValue {
 public:
  // `name` is how messages show the key. The text and the report outlive the value.
  IniValue(std::string name, const std::string& text, IniPlace place, IniReport& report)
      : name_(std::move(name)), text_(text), place_(place), report_(report) {}

  const std::string& text() const { return text_; }
  IniPlace place() const { return place_; }
  // Also hexadecimal and, with a leading zero, octal.
  std::optional<int> Int(int min, int max) const;
  // Any number but 0 is true.
  std::optional<bool> Flag() const;
  std::optional<std::chrono::milliseconds> Seconds() const;
  // Whatever its case.
  template <typename E>
  std::optional<E> Choice(std::span<const std::pair<std::string_view, E>> choices) const;
  // The names between commas.
  std::vector<std::string> List() const;

  void Fault(std::string_view message) const;
  void Warn(std::string_view message) const;

 private:
  const std::string name_;
  const std::string& text_;
  const IniPlace place_;
  IniReport& report_;
};

bool EqualsIgnoringCase(std::string_view a, std::string_view b);
std::optional<double> ParseNumber(std::string_view text);

template <typename E>
std::optional<E> IniValue::Choice(std::span<const std::pair<std::string_view, E>> choices) const {
  std::string expected;
  for (const auto& [name, value] : choices) {
    if (EqualsIgnoringCase(text_, name)) return value;
    expected += fmt::format("{}{}", expected.empty() ? "" : ", ", name);
  }
  Fault("must be one of " + expected);
  return std::nullopt;
}

}  // namespace pgweir::config
