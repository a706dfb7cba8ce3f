#include "proxy/joint_answer.h"

#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "fmt/format.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

namespace backend = wire::backend;

constexpr std::string_view kSelect = "SELECT ";

}  // namespace

void JointAnswer::BeginPart(bool last) {
  first_ = !std::exchange(begun_, true);
  last_ = last;
  has_rows_ = false;
}

JointAnswer::Fate JointAnswer::OnMessage(const wire::Frame& frame, std::string& instead) {
  switch (frame.type) {
    case backend::kParseComplete:
    case backend::kBindComplete:
    case backend::kCloseComplete:
    case backend::kParameterDescription:
    case backend::kRowDescription:
    case backend::kNoData:
      return failed_ || (has_rows_ ? last_ : first_) ? Fate::kForward : Fate::kDrop;
    case backend::kCommandComplete: {
      const auto tag = wire::ReadCommandTag(frame.head);
      uint64_t rows = 0;
      if (tag.ok() && tag->starts_with(kSelect) &&
          absl::SimpleAtoi(ToAbsl(tag->substr(kSelect.size())), &rows)) {
        rows_ += rows;
      }
      has_rows_ = true;
      if (!last_) return Fate::kDrop;
      wire::AppendCommandComplete(instead, fmt::format("{}{}", kSelect, rows_));
      return Fate::kReplace;
    }
    case backend::kErrorResponse:
      failed_ = true;
      return Fate::kForward;
    case backend::kReadyForQuery:
      return last_ || failed_ ? Fate::kForward : Fate::kDrop;
    default:
      return Fate::kForward;
  }
}

}  // namespace pgweir::proxy
