#include "tests/support/gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/loopback.h"

namespace pgweir::test {
namespace {

constexpr size_t kQueueLimit = 256 * 1024;
constexpr auto kRateSlot = std::chrono::milliseconds(20);

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int Connect(int port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

void NoDelay(int fd) {
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void CloseHard(int fd) {
  linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(fd);
}

}  // namespace

Gate::Gate(int server_port) : server_port_(server_port) {
  std::tie(listener_, port_) = ListenOnLoopback("the gate");
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  thread_ = std::thread([this] { Run(); });
}

Gate::~Gate() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  Wake();
  thread_.join();
  for (Link& link : links_) {
    if (!link.dead) Apply(link, Cut::kReset);
  }
  ::close(listener_);
  ::close(wake_);
}

void Gate::Wake() {
  uint64_t one = 1;
  [[maybe_unused]] ssize_t written = ::write(wake_, &one, sizeof one);
}

void Gate::Arm(Trigger trigger) {
  std::lock_guard lock(mutex_);
  trigger_ = std::move(trigger);
  counted_ = 0;
  armed_ = true;
  fired_ = false;
}

bool Gate::WaitFired(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return fired_changed_.wait_for(lock, timeout, [this] { return fired_.load(); });
}

void Gate::SetDelay(std::chrono::milliseconds delay) {
  std::lock_guard lock(mutex_);
  delay_ = delay;
}

void Gate::SetRate(Side side, int64_t bytes_per_second) {
  std::lock_guard lock(mutex_);
  rate_[static_cast<size_t>(side)] = bytes_per_second;
}

void Gate::Freeze(bool frozen) {
  {
    std::lock_guard lock(mutex_);
    frozen_ = frozen;
    for (Link& link : links_) {
      if (frozen || !std::exchange(link.frozen, false) || link.dead) continue;
      // What it was frozen in front of.
      for (Flow& flow : link.flows) Pass(link, flow, std::exchange(flow.unscanned, {}));
    }
  }
  Wake();
}

void Gate::Refuse(bool refuse) {
  std::lock_guard lock(mutex_);
  refuse_ = refuse;
}

void Gate::CutAll(Cut cut) {
  {
    std::lock_guard lock(mutex_);
    for (Link& link : links_) {
      if (!link.dead) Apply(link, cut);
    }
  }
  Wake();
}

void Gate::Inject(Side side, const std::string& bytes) {
  {
    std::lock_guard lock(mutex_);
    for (Link& link : links_) {
      if (link.dead) continue;
      Push(link.flows[static_cast<size_t>(side)], bytes);
      Write(link.flows[static_cast<size_t>(side)]);
    }
  }
  Wake();
}

void Gate::Apply(Link& link, Cut cut) {
  if (cut == Cut::kNone) return;
  if (cut == Cut::kFreeze) {
    link.frozen = true;
    return;
  }
  for (int fd : {link.flows[0].from, link.flows[1].from}) {
    cut == Cut::kReset ? CloseHard(fd) : static_cast<void>(::close(fd));
  }
  link.dead = true;
  --links_open_;
}

void Gate::Accept() {
  int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  int server = refuse_ ? -1 : Connect(server_port_);
  if (server < 0) return CloseHard(client);
  NoDelay(client);
  NoDelay(server);
  links_.emplace_back(client, server);
  ++links_seen_;
  ++links_open_;
}

MessageScanner::Verdict Gate::Judge(Side side, char type) {
  using Verdict = MessageScanner::Verdict;
  if (!armed_ || trigger_.type == 0 || side != trigger_.side || type != trigger_.type) {
    return Verdict::kPass;
  }
  if (++counted_ < trigger_.count) return Verdict::kPass;
  armed_ = false;
  return trigger_.after ? Verdict::kFireAfter : Verdict::kFireBefore;
}

void Gate::Receive(Link& link, Flow& flow) {
  char buffer[65536];
  ssize_t got = ::recv(flow.from, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got < 0) return Apply(link, Cut::kReset);
  if (got == 0) {
    flow.ended = true;
    Push(flow, std::move(flow.unscanned));
    flow.unscanned.clear();
    return;
  }
  Pass(link, flow, std::move(flow.unscanned) + std::string(buffer, static_cast<size_t>(got)));
}

void Gate::Pass(Link& link, Flow& flow, std::string data) {
  flow.unscanned.clear();
  bool counts_bytes = armed_ && trigger_.type == 0 && trigger_.side == flow.side;
  auto left = static_cast<size_t>(counts_bytes ? trigger_.count - counted_ : 0);
  if (counts_bytes && data.size() >= left) {
    armed_ = false;
    Push(flow, data.substr(0, left));
    return Fire(link, flow, data.substr(left));
  }
  MessageScanner::Step step =
      flow.scanner.Scan(data, [&](char type) { return Judge(flow.side, type); });
  MessageScanner& answers = link.flows[1].scanner;
  for (int asked = flow.scanner.TakeRequestsForByte(); asked > 0; --asked) {
    answers.ExpectBareByte();
  }
  if (char byte = answers.last_bare_byte(); byte == 'S' || byte == 'G') {
    for (Flow& each : link.flows) each.scanner.BecomeOpaque();
  }
  if (counts_bytes) counted_ += static_cast<int64_t>(step.used);
  Push(flow, data.substr(0, step.used));
  if (step.fired) return Fire(link, flow, data.substr(step.used));
  flow.unscanned = data.substr(step.used);
}

void Gate::Fire(Link& link, Flow& flow, std::string rest) {
  Drain(flow);
  if (trigger_.also) trigger_.also();
  flow.unscanned = std::move(rest);
  Apply(link, trigger_.cut);
  fired_ = true;
  fired_changed_.notify_all();
  if (!link.dead && !link.frozen) Pass(link, flow, std::move(flow.unscanned));
}

void Gate::Push(Flow& flow, std::string bytes) {
  if (bytes.empty()) return;
  bytes_[static_cast<size_t>(flow.side)] += static_cast<int64_t>(bytes.size());
  flow.queued += bytes.size();
  flow.queue.push_back({Clock::now() + delay_, std::move(bytes)});
}

void Gate::Write(Flow& flow) {
  int64_t rate = rate_[static_cast<size_t>(flow.side)];
  auto now = Clock::now();
  if (rate > 0 && now < flow.next_write) return;
  size_t allowance = rate > 0 ? std::max<size_t>(1, static_cast<size_t>(rate / 50)) : SIZE_MAX;
  flow.next_write = now + kRateSlot;
  while (!flow.queue.empty() && flow.queue.front().due <= now && allowance > 0) {
    std::string& bytes = flow.queue.front().bytes;
    ssize_t sent = ::send(flow.to, bytes.data(), std::min(bytes.size(), allowance),
                          MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return;
    flow.queued -= static_cast<size_t>(sent);
    allowance -= static_cast<size_t>(sent);
    bytes.erase(0, static_cast<size_t>(sent));
    if (bytes.empty()) flow.queue.pop_front();
  }
}

// What must have left before a cut: within five seconds, whatever the delay and the rate.
void Gate::Drain(Flow& flow) {
  auto deadline = Clock::now() + std::chrono::seconds(5);
  for (Chunk& chunk : flow.queue) {
    for (size_t at = 0; at < chunk.bytes.size() && Clock::now() < deadline;) {
      pollfd wait{.fd = flow.to, .events = POLLOUT, .revents = 0};
      ::poll(&wait, 1, 100);
      ssize_t sent = ::send(flow.to, chunk.bytes.data() + at, chunk.bytes.size() - at,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) return;
      at += sent > 0 ? static_cast<size_t>(sent) : 0;
    }
  }
  flow.queue.clear();
  flow.queued = 0;
}

void Gate::Serve(Link& link, short from_client, short from_server) {
  const short readable = POLLIN | POLLHUP | POLLERR;
  if ((from_client & readable) != 0 && !link.flows[0].ended) Receive(link, link.flows[0]);
  if (link.dead) return;
  if ((from_server & readable) != 0 && !link.flows[1].ended) Receive(link, link.flows[1]);
  if (link.dead || link.frozen || frozen_) return;
  for (Flow& flow : link.flows) {
    Write(flow);
    if (!flow.ended || flow.closed || !flow.queue.empty()) continue;
    ::shutdown(flow.to, SHUT_WR);
    flow.closed = true;
  }
  if (link.flows[0].closed && link.flows[1].closed) Apply(link, Cut::kFinish);
}

void Gate::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    links_.remove_if([](const Link& link) { return link.dead; });
    std::vector<pollfd> fds = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    bool waiting = false;  // for time to pass
    for (Link& link : links_) {
      bool frozen = frozen_ || link.frozen;
      bool timed = delay_.count() > 0 || rate_[0] > 0 || rate_[1] > 0;
      for (size_t i = 0; i < 2; ++i) {
        const Flow& in = link.flows[i];
        const Flow& out = link.flows[1 - i];
        bool reads = !frozen && !in.ended && in.queued < kQueueLimit;
        bool writes = !frozen && !timed && !out.queue.empty();
        waiting = waiting || (timed && !out.queue.empty());
        short events = static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
        fds.push_back({events != 0 ? in.from : -1, events, 0});
      }
    }
    lock.unlock();
    ::poll(fds.data(), fds.size(), waiting ? 5 : 1000);
    uint64_t woken;
    [[maybe_unused]] ssize_t read = ::read(wake_, &woken, sizeof woken);
    lock.lock();
    size_t at = 2;
    for (Link& link : links_) {
      // A link that was cut meanwhile has its descriptors closed.
      if (!link.dead) Serve(link, fds[at].revents, fds[at + 1].revents);
      at += 2;
    }
    if ((fds[1].revents & POLLIN) != 0) Accept();
  }
}

}  // namespace pgweir::test
