#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "router/sql_token.h"

namespace pgweir::proxy {

// A place in a text that goes to the server, from character `begin` to `end`, which is longer by
// `by` than what the client has there.
struct TextShift {
  int begin;
  int end;
  int by;
};

// Puts together a client's text with other words in it, and notes where they are.
class EditedText {
 public:
  explicit EditedText(std::string_view text) : text_(text) {}

  // In the order of their places.
  void Replace(const router::Span& span, std::string_view words);

  bool changed() const { return taken_ > 0; }
  std::vector<TextShift> TakeShifts() { return std::move(shifts_); }
  std::string Finish() && { return std::move(out_.append(text_.substr(taken_))); }

 private:
  const std::string_view text_;
  std::string out_;
  int characters_ = 0;  // of out_
  std::vector<TextShift> shifts_;
  size_t taken_ = 0;
};

// Where in the client's text a position is that a server tells of such a text; both count from 1.
int ClientsPosition(int position, const std::vector<TextShift>& shifts);

}  // namespace pgweir::proxy
