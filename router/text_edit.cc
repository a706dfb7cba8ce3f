#include "router/text_edit.h"

namespace pgweir::router {

std::string Edited(std::string_view sql, std::span<const TextEdit> edits) {
  std::string edited;
  size_t at = 0;
  for (const TextEdit& edit : edits) {
    edited += sql.substr(at, edit.span.offset - at);
    edited += edit.text;
    at = edit.span.offset + edit.span.length;
  }
  return edited += sql.substr(at);
}

}  // namespace pgweir::router
