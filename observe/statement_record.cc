#include "observe/statement_record.h"

namespace pgweir::observe {

std::string_view NameOf(CacheOutcome outcome) {
  switch (outcome) {
    case CacheOutcome::kHit:
      return "hit";
    case CacheOutcome::kStale:
      return "stale";
    case CacheOutcome::kMiss:
      return "miss";
    case CacheOutcome::kBypass:
      return "bypass";
    case CacheOutcome::kNone:
      break;
  }
  return "none";
}

}  // namespace pgweir::observe
