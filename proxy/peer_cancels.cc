#include "proxy/peer_cancels.h"

#include "base/log.h"
#include "pooler/cancel_request.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

constexpr int kThreads = 4;
constexpr size_t kMaxQueued = 1000;  // of one peer, and of all that are under way

}  // namespace

PeerCancels::PeerCancels() : canceller_(kThreads, kMaxQueued) {}

void PeerCancels::Pass(const CancelKeys::Foreign& request, const config::Peer& peer, int at_once,
                       absl::AnyInvocable<void()> done) {
  std::string packet;
  wire::AppendCancelRequest(packet, request.key.process_id, request.key.secret);
  Job job{pooler::MakeCancel(peer.host, peer.port, std::move(packet)), std::move(done)};
  {
    MutexLock lock(mutex_);
    Queue& queue = queues_[request.peer_id];
    if (queue.active < at_once) {
      ++queue.active;
    } else if (queue.waiting.size() < kMaxQueued) {
      queue.waiting.push_back(std::move(job));
      return;
    } else {
      LogWarn("cancel request for peer {} dropped: {} are queued", request.peer_id, kMaxQueued);
      job.cancel = nullptr;
    }
  }
  if (job.cancel == nullptr) return job.done();
  Send(request.peer_id, std::move(job));
}

PeerCancels::Numbers PeerCancels::numbers(int peer_id) const {
  MutexLock lock(mutex_);
  const auto it = queues_.find(peer_id);
  if (it == queues_.end()) return {};
  return {it->second.active, static_cast<int>(it->second.waiting.size())};
}

void PeerCancels::Send(int peer_id, Job job) {
  canceller_.Send(std::move(job.cancel), [this, peer_id, done = std::move(job.done)]() mutable {
    done();
    OnDone(peer_id);
  });
}

// The next of those that wait takes its place.
void PeerCancels::OnDone(int peer_id) {
  Job next;
  {
    MutexLock lock(mutex_);
    Queue& queue = queues_[peer_id];
    if (queue.waiting.empty()) {
      --queue.active;
      return;
    }
    next = std::move(queue.waiting.front());
    queue.waiting.pop_front();
  }
  Send(peer_id, std::move(next));
}

}  // namespace pgweir::proxy
