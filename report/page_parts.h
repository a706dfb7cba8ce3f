#pragma once

#include <string_view>

namespace pgweir::report {

// The page before and behind its data, made of page/ when pgweir is built.
extern const std::string_view kPageHead;
extern const std::string_view kPageTail;

}  // namespace pgweir::report
