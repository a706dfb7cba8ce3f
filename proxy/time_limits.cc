#include "proxy/time_limits.h"

#include <algorithm>

namespace pgweir::proxy {
namespace {

using std::chrono::milliseconds;

// A statement that was cancelled has this long to end.
constexpr milliseconds kAfterCancel{5'000};

TimePoint Until(TimePoint since, milliseconds limit) {
  return limit == milliseconds::zero() ? kNoDeadline : since + limit;
}

}  // namespace

void TimeLimits::Configure(const config::Pool& limits) {
  query_ = limits.query_timeout;
  transaction_ = limits.transaction_timeout;
  idle_transaction_ = limits.idle_transaction_timeout;
  idle_ = limits.client_idle_timeout;
  any_ = std::max({query_, transaction_, idle_transaction_, idle_}) > milliseconds::zero();
}

TimeLimits::Exceeded TimeLimits::Watch(const Doing& doing, TimePoint now) {
  const bool another = doing_since_ == kNoDeadline || doing.working != doing_.working ||
                       doing.answers != doing_.answers ||
                       doing.in_transaction != doing_.in_transaction;
  if (another) {
    doing_since_ = now;
    cancelled_ = false;
  }
  if (!doing.in_transaction) {
    transaction_since_ = kNoDeadline;
  } else if (transaction_since_ == kNoDeadline) {
    transaction_since_ = now;
  }
  doing_ = doing;

  Exceeded exceeded = Exceeded::kIdle;
  next_ = Until(doing_since_, idle_);
  if (doing.working) {
    exceeded = cancelled_ ? Exceeded::kQueryForLong : Exceeded::kQuery;
    next_ = Until(doing_since_, query_);
    if (cancelled_) next_ += kAfterCancel;
  } else if (doing.in_transaction) {
    exceeded = Exceeded::kIdleInTransaction;
    next_ = Until(doing_since_, idle_transaction_);
  }
  if (doing.in_transaction && Until(transaction_since_, transaction_) < next_) {
    exceeded = Exceeded::kTransaction;
    next_ = Until(transaction_since_, transaction_);
  }
  if (now < next_) return Exceeded::kNothing;
  if (exceeded == Exceeded::kQuery) {
    cancelled_ = true;
    next_ += kAfterCancel;
  }
  return exceeded;
}

}  // namespace pgweir::proxy
