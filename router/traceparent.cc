#include "router/traceparent.h"

#include <algorithm>

namespace pgweir::router {
namespace {

constexpr std::string_view kKey = "traceparent='";
// version, trace-id, parent-id, trace-flags: hexadecimal digits in small letters, with dashes.
constexpr std::string_view kForm = "00-00000000000000000000000000000000-0000000000000000-00";

bool IsDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool IsZero(std::string_view digits) { return digits.find_first_not_of('0') == digits.npos; }

}  // namespace

bool IsTraceparent(std::string_view text) {
  const bool formed = text.size() == kForm.size() &&
                      std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
                        return form == '-' ? c == '-' : IsDigit(c);
                      });
  return formed && !text.starts_with("ff") && !IsZero(text.substr(3, 32)) &&
         !IsZero(text.substr(36, 16));
}

bool MayHaveTraceparent(std::string_view sql) {
  const size_t comment = sql.find("/*");
  return comment != sql.npos && sql.find(kKey, comment) != sql.npos;
}

std::string_view TraceparentOf(std::string_view sql, const SqlScan& scan) {
  for (const SpokenComment& comment : scan.comments()) {
    if (comment.kind != SpokenComment::Kind::kTracing) continue;
    const std::string_view body = comment.body.In(sql);
    const size_t key = body.find(kKey);
    if (key == body.npos) continue;
    const std::string_view rest = body.substr(key + kKey.size());
    const std::string_view value = rest.substr(0, rest.find('\''));
    if (IsTraceparent(value)) return value;
  }
  return "";
}

}  // namespace pgweir::router
