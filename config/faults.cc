#include "config/faults.h"

#include <algorithm>
#include <utility>

namespace pgweir::config {
namespace {

constexpr size_t kMaxShownFaults = 20;
constexpr size_t kMaxKeptFaults = 1000;
constexpr size_t kMaxShownKey = 64;

bool IsBare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

}  // namespace

void Faults::Add(Position at, std::string_view message) {
  if (faults_.size() == kMaxKeptFaults) {
    ++dropped_;
    return;
  }
  faults_.emplace(at, fmt::format("{}:{}:{}: {}", path_, at.line, at.column, message));
}

void Faults::AddOfOtherFile(std::string message) { of_other_files_.push_back(std::move(message)); }

Status Faults::ToStatus() const {
  std::vector<std::string> lines;
  for (const auto& [at, line] : faults_) lines.push_back(line);
  lines.insert(lines.end(), of_other_files_.begin(), of_other_files_.end());
  if (lines.empty()) return absl::OkStatus();
  if (lines.size() > kMaxShownFaults) {
    const size_t more = lines.size() - kMaxShownFaults + dropped_;
    lines.resize(kMaxShownFaults);
    lines.push_back(fmt::format("{}: {} more errors", path_, more));
  }
  return Error(sqlstate::kConfigFileError, fmt::format("{}", fmt::join(lines, "\n")));
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string ShownKey(std::string_view key) {
  const bool is_cut = key.size() > kMaxShownKey;
  key = key.substr(0, kMaxShownKey);
  if (!is_cut && !key.empty() && std::all_of(key.begin(), key.end(), IsBare)) {
    return std::string(key);
  }
  std::string shown = "\"";
  for (const char c : key) shown += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c;
  return shown + (is_cut ? "...\"" : "\"");
}

}  // namespace pgweir::config
