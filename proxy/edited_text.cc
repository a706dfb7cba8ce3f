#include "proxy/edited_text.h"

#include <algorithm>

namespace pgweir::proxy {
namespace {

// As the server counts them, where the client speaks UTF-8; of others it is a guess.
int Characters(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

void EditedText::Replace(const router::Span& span, std::string_view words) {
  const std::string_view before = text_.substr(taken_, span.offset - taken_);
  const int begin = characters_ + Characters(before);
  characters_ = begin + Characters(words);
  out_.append(before).append(words);
  taken_ = span.offset + span.length;
  shifts_.push_back({begin, characters_, characters_ - begin - Characters(span.In(text_))});
}

int ClientsPosition(int position, const std::vector<TextShift>& shifts) {
  int moved = 0;
  for (const TextShift& shift : shifts) {
    if (position > shift.end) {
      moved += shift.by;
    } else if (position > shift.begin) {
      return shift.begin + 1 - moved;
    }
  }
  return position - moved;
}

}  // namespace pgweir::proxy
