// Whatever is asked and answered, a connection that counts as idle has nothing outstanding.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "wire/reply_tracker.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using pgweir::wire::ReplyTracker;
  using pgweir::wire::Request;
  using pgweir::wire::TransactionStatus;
  constexpr char kReplies[] = "RK23CWdcGHDIEVvnNAtS1sZT";
  constexpr TransactionStatus kStatuses[] = {
      TransactionStatus::kIdle, TransactionStatus::kInTransaction, TransactionStatus::kFailed};
  ReplyTracker tracker;
  for (size_t i = 0; i < size; ++i) {
    const uint8_t value = data[i] >> 1;
    const size_t before = tracker.pending();
    if (data[i] & 1) {
      tracker.OnRequest(static_cast<Request>(value % 10), value % 16 == 0
                                                              ? ReplyTracker::Answers::kSwallow
                                                              : ReplyTracker::Answers::kForward);
      if (tracker.pending() > before + 1) std::abort();
    } else {
      tracker.OnReply(kReplies[value % (sizeof kReplies - 1)], kStatuses[value % 3]);
      if (tracker.pending() > before) std::abort();
    }
    if (tracker.idle() && (tracker.outstanding() || tracker.skipping() || tracker.copy_in() ||
                           tracker.batch_open() || tracker.awaits_ready())) {
      std::abort();
    }
    if (tracker.desynchronised() && tracker.between_requests()) std::abort();
  }
  return 0;
}
