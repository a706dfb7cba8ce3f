#include "proxy/answer_capture.h"

#include <algorithm>

#include "fmt/format.h"
#include "wire/byte_reader.h"

namespace pgweir::proxy {
namespace {

namespace backend = wire::backend;

// The header's length counts itself.
uint32_t BodyLength(std::string_view header) {
  const uint32_t length = wire::ByteReader(wire::AsBytes(header.substr(1))).Int32().value_or(0);
  return length < 4 ? 0 : length - 4;
}

}  // namespace

void AnswerCapture::Begin(size_t max_bytes, wire::TransactionStatus status) {
  *this = AnswerCapture();
  status_ = status;
  max_bytes_ = max_bytes;
  given_up_ = false;
}

void AnswerCapture::Take(wire::Bytes bytes) {
  begun_ = true;
  while (!bytes.empty() && !given_up_ && !complete_) {
    if (body_left_ == 0) {
      const size_t missing = std::min(wire::kHeaderSize - header_.size(), bytes.size());
      header_.append(wire::AsText(bytes.first(missing)));
      bytes = bytes.subspan(missing);
      if (header_.size() < wire::kHeaderSize) return;
      OnHeader();
      if (body_left_ == 0) OnEnd();
      continue;
    }
    const wire::Bytes piece = bytes.first(std::min<size_t>(body_left_, bytes.size()));
    bytes = bytes.subspan(piece.size());
    body_left_ -= static_cast<uint32_t>(piece.size());
    OnBody(piece);
    if (body_left_ == 0) OnEnd();
  }
}

void AnswerCapture::Join(AnswerCapture other) {
  too_long_ =
      other.too_long_ || rows.size() + row_description.size() + other.rows.size() > max_bytes_;
  complete_ = other.complete_ && !too_long_;
  if (!complete_) return GiveUp();
  rows += other.rows;
  row_count += other.row_count;
  tag = fmt::format("SELECT {}", row_count);
}

void AnswerCapture::OnHeader() {
  type_ = header_[0];
  body_left_ = BodyLength(header_);
  switch (type_) {
    case backend::kDataRow:
      ++row_count;
      too_long_ = rows.size() + row_description.size() + body_left_ > max_bytes_;
      if (too_long_) return GiveUp();
      rows += header_;
      return;
    case backend::kRowDescription:
      too_long_ = body_left_ > max_bytes_;
      if (too_long_) return GiveUp();
      row_description = header_;
      return;
    case backend::kParseComplete:
    case backend::kBindComplete:
    case backend::kCloseComplete:
    case backend::kCommandComplete:
    case backend::kReadyForQuery:
    // Not part of the answer: it may come at any time.
    case backend::kNotificationResponse:
      return;
    default:
      // An error, a notice that others would miss, a setting that a function has changed …
      return GiveUp();
  }
}

void AnswerCapture::OnBody(wire::Bytes piece) {
  if (type_ == backend::kDataRow) rows += wire::AsText(piece);
  if (type_ == backend::kRowDescription) row_description += wire::AsText(piece);
  if (type_ == backend::kCommandComplete) tag += wire::AsText(piece);
  if (type_ == backend::kReadyForQuery) {
    as_expected_ = wire::AsText(piece)[0] == static_cast<char>(status_);
  }
}

void AnswerCapture::OnEnd() {
  header_.clear();
  if (type_ == backend::kCommandComplete && tag.ends_with('\0')) tag.pop_back();
  if (type_ != backend::kReadyForQuery) return;
  complete_ = as_expected_ && !tag.empty();
  if (!complete_) GiveUp();
}

void AnswerCapture::GiveUp() {
  given_up_ = true;
  std::string().swap(rows);
}

}  // namespace pgweir::proxy
