#include "pooler/server_watch.h"

namespace pgweir::pooler {
namespace {

// A new statement's share of the average.
constexpr int kShare = 16;

}  // namespace

void ServerWatch::Answered(Duration took) {
  if (!counts_) return;
  const Duration::rep before = latency_.load(std::memory_order_relaxed);
  const Duration::rep after =
      before == 0 ? took.count() : before + (took.count() - before) / kShare;
  latency_.store(after, std::memory_order_relaxed);
}

void ServerWatch::Suspect() {
  if (!suspected_.exchange(true, std::memory_order_relaxed)) {
    tell_(News::kSuspect, absl::OkStatus());
  }
}

void ServerWatch::LoginFailed(const Status& why) {
  failing_.store(true, std::memory_order_relaxed);
  tell_(News::kLoginFailed, why);
}

void ServerWatch::TellRecovery() {
  if (failing_.exchange(false, std::memory_order_relaxed)) {
    tell_(News::kLoggedIn, absl::OkStatus());
  }
}

}  // namespace pgweir::pooler
