#include "report/text.h"

namespace pgweir::report {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; }
bool IsWord(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Outliner {
 public:
  Outliner(std::string_view sql, size_t max_bytes) : sql_(sql), max_(max_bytes) {}

  std::string Take() && {
    // A few bytes more than are wanted show that the text has been cut.
    while (at_ < sql_.size() && out_.size() <= max_ + 4) Step();
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
    if (out_.size() > max_) out_ = std::string(CutText(out_, max_ - 3)) + "…";
    return std::move(out_);
  }

 private:
  bool StartsWith(std::string_view prefix) const {
    return sql_.substr(at_, prefix.size()) == prefix;
  }

  void PassBehind(std::string_view end) {
    const size_t found = sql_.find(end, at_);
    at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
  }

  void Space() {
    if (!out_.empty() && out_.back() != ' ') out_ += ' ';
  }

  void PassString() {
    for (++at_; at_ < sql_.size(); ++at_) {
      if (sql_[at_] != '\'') continue;
      if (at_ + 1 == sql_.size() || sql_[at_ + 1] != '\'') break;
      ++at_;
    }
    if (at_ < sql_.size()) ++at_;
    out_ += '?';
  }

  // "$1" stays, "$tag$ ... $tag$" is a literal.
  void PassDollar() {
    size_t end = at_ + 1;
    while (end < sql_.size() && IsWord(sql_[end]) && sql_[end] != '$') ++end;
    const bool quotes = end < sql_.size() && sql_[end] == '$' && !IsDigit(sql_[at_ + 1]);
    const std::string_view tag = sql_.substr(at_, end - at_ + (quotes ? 1 : 0));
    at_ += tag.size();
    if (!quotes) {
      out_ += tag;
      return;
    }
    PassBehind(tag);
    out_ += '?';
  }

  void CopyWord() {
    while (at_ < sql_.size() && IsWord(sql_[at_])) out_ += sql_[at_++];
  }

  void PassNumber() {
    while (at_ < sql_.size() && (IsWord(sql_[at_]) || sql_[at_] == '.')) ++at_;
    out_ += '?';
  }

  void Step() {
    const char c = sql_[at_];
    if (IsSpace(c)) {
      ++at_;
      Space();
    } else if (StartsWith("--")) {
      PassBehind("\n");
      Space();
    } else if (StartsWith("/*")) {
      PassBehind("*/");
      Space();
    } else if (c == '\'') {
      PassString();
    } else if (c == '$') {
      PassDollar();
    } else if (IsDigit(c)) {
      PassNumber();
    } else if (IsWord(c)) {
      CopyWord();
    } else {
      out_ += sql_[at_++];
    }
  }

  const std::string_view sql_;
  const size_t max_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string_view CutText(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = max_bytes;
  while (end > 0 && IsContinuation(text[end])) --end;
  return text.substr(0, end);
}

std::string OutlineOf(std::string_view sql, size_t max_bytes) {
  return Outliner(sql, max_bytes).Take();
}

std::string PrintableText(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {  // U+0080 to U+009F
      result += '?';
      ++i;
    } else {
      result += byte < ' ' || byte == 0x7f ? '?' : text[i];
    }
  }
  return result;
}

std::string CutColumns(std::string_view text, size_t columns) {
  size_t end = 0, last = 0, count = 0;
  for (; end < text.size(); ++end) {
    if (IsContinuation(text[end])) continue;
    if (count == columns) return std::string(text.substr(0, last)) + "…";
    ++count;
    last = end;
  }
  return std::string(text);
}

}  // namespace pgweir::report
