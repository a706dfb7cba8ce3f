#include "proxy/listener.h"

#include <grp.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "base/log.h"

namespace pgweir::proxy {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr int kBacklog = 4096;
// How long a handshake may be under way.
constexpr std::chrono::milliseconds kHandshake{50};

Status CannotListen(std::string_view name, std::string_view reason) {
  return Errorf(sqlstate::kConfigFileError, "cannot listen on {}: {}", name, reason);
}

void SetOption(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

// The kernel counts seconds, from 1.
int Seconds(config::milliseconds time) {
  return static_cast<int>(std::max<int64_t>(1, time.count() / 1000));
}

void PrepareTcp(int fd, const config::TcpKeepalive& keepalive) {
  const config::milliseconds none{0};
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (keepalive.user_timeout > none) {
    SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(keepalive.user_timeout.count()));
  }
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, keepalive.on ? 1 : 0);
  if (!keepalive.on) return;
  if (keepalive.idle > none) SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, Seconds(keepalive.idle));
  if (keepalive.interval > none) {
    SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, Seconds(keepalive.interval));
  }
  if (keepalive.count > 0) SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, keepalive.count);
}

// Of a connection to come the first packet is dropped. It is sent again after a second; then the
// socket is closed, and another one on the same port gets it. Connections that wait in the queue of
// a socket that is closed, or whose handshake it has begun, are reset.
void TurnNewcomersAway(int fd) {
  constexpr uint32_t kFlags = 13, kSyn = 0x02, kAck = 0x10;  // of TCP's header
  sock_filter steps[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlags),
                         BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kSyn | kAck),
                         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSyn, 0, 1),
                         BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)};
  const sock_fprog program{std::size(steps), steps};
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

Peer PeerAt(const sockaddr_storage& address) {
  Peer peer;
  peer.ip = IpAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&address));
  if (!peer.ip.has_value()) {
    peer.unix_socket = true;
    peer.address = "unix";
    return peer;
  }
  // The port is at the same place in both families.
  const auto port = reinterpret_cast<const sockaddr_in*>(&address)->sin_port;
  peer.address = peer.ip->WithPort(ntohs(port));
  return peer;
}

// Whether somebody serves the socket; a file that nobody serves is left over and may go.
bool IsServed(const std::string& path) {
  boost::asio::io_context io;
  boost::asio::local::stream_protocol::socket socket(io);
  error_code error;
  socket.connect(boost::asio::local::stream_protocol::endpoint(path), error);
  return !error;
}

// Who may connect to a socket's file.
Status Permit(const std::string& path, const config::Listen& listen) {
  const std::string& name = listen.unix_socket_group;
  const group* found = name.empty() ? nullptr : getgrnam(name.c_str());
  if (!name.empty() && found == nullptr) return CannotListen(path, "there is no group " + name);
  const bool given =
      found == nullptr || chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) == 0;
  if (given && chmod(path.c_str(), static_cast<mode_t>(listen.unix_socket_mode)) == 0) {
    return absl::OkStatus();
  }
  return CannotListen(path, std::strerror(errno));
}

}  // namespace

Status Listener::Open(const config::Listen& listen) {
  Adapt(listen);
  so_reuseport_ = listen.so_reuseport;
  for (const auto part : absl::StrSplit(listen.address, ',', absl::SkipWhitespace())) {
    const Status status = OpenTcp(std::string(absl::StripAsciiWhitespace(part)), listen.port);
    if (!status.ok()) return status;
  }
  if (!listen.unix_socket_dir.empty()) {
    const Status status = OpenUnix(listen);
    if (!status.ok()) return status;
  }
  if (doors_.empty()) return CannotListen("anything", "no address and no unix_socket_dir is set");
  for (const auto& door : doors_) Accept(door);
  return absl::OkStatus();
}

Status Listener::OpenTcp(const std::string& address, uint16_t port) {
  const std::string name = fmt::format("{}:{}", address, port);
  if (address == "*") {
    // One socket for both families; without IPv6 one for IPv4.
    const Status both = Bind(tcp::endpoint(tcp::v6(), port), name, "");
    return both.ok() ? both : Bind(tcp::endpoint(tcp::v4(), port), name, "");
  }
  error_code error;
  tcp::resolver resolver(io_);
  const auto found =
      resolver.resolve(address, std::to_string(port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error) return CannotListen(name, error.message());
  Status status = CannotListen(name, "the name has no address");
  bool any = false;
  for (const auto& entry : found) {
    status = Bind(entry.endpoint(), name, "");
    any = any || status.ok();
  }
  return any ? absl::OkStatus() : status;
}

Status Listener::OpenUnix(const config::Listen& listen) {
  const std::string path = fmt::format("{}/.s.PGSQL.{}", listen.unix_socket_dir, listen.port);
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return CannotListen(path, "the path is too long");
  if (so_reuseport_) return TakeOver(path, listen);
  if (IsServed(path)) return CannotListen(path, "another process serves it");
  unlink(path.c_str());
  return Bind(boost::asio::local::stream_protocol::endpoint(path), path, path, &listen);
}

// Two processes can't share such a path. The new one's socket takes the old one's place in one
// step, so that there is always one; the old one goes on with whom it has.
Status Listener::TakeOver(const std::string& path, const config::Listen& listen) {
  const std::string fresh = fmt::format("{}.{}", path, getpid());
  unlink(fresh.c_str());
  const Status status =
      Bind(boost::asio::local::stream_protocol::endpoint(fresh), path, path, &listen);
  if (!status.ok()) return status;
  struct stat file{};
  if (stat(fresh.c_str(), &file) != 0 || rename(fresh.c_str(), path.c_str()) != 0) {
    return CannotListen(path, std::strerror(errno));
  }
  doors_.back()->inode = file.st_ino;
  return absl::OkStatus();
}

Status Listener::Bind(const Protocol::endpoint& endpoint, std::string name, std::string unix_path,
                      const config::Listen* listen) {
  error_code error;
  auto door = std::make_shared<Door>(
      Door{Acceptor(io_), name, unix_path, boost::asio::steady_timer(io_), 0});
  door->acceptor.open(endpoint.protocol(), error);
  if (!error && unix_path.empty()) {
    door->acceptor.set_option(Acceptor::reuse_address(true), error);
    if (so_reuseport_) SetOption(door->acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, 1);
    if (!error && endpoint.protocol().family() == AF_INET6) {
      door->acceptor.set_option(boost::asio::ip::v6_only(name.front() != '*'), error);
    }
  }
  if (!error) door->acceptor.bind(endpoint, error);
  if (!error && listen != nullptr) {
    const auto* file = reinterpret_cast<const sockaddr_un*>(endpoint.data());
    const Status permitted = Permit(file->sun_path, *listen);
    if (!permitted.ok()) return permitted;
  }
  if (!error) door->acceptor.listen(kBacklog, error);
  if (!error) door->acceptor.non_blocking(true, error);
  if (error) return CannotListen(name, error.message());
  doors_.push_back(std::move(door));
  return absl::OkStatus();
}

void Listener::Accept(const std::shared_ptr<Door>& door) {
  door->acceptor.async_wait(Acceptor::wait_read, [this, door](error_code error) {
    if (!error) AcceptAll(door);
  });
}

void Listener::AcceptAll(const std::shared_ptr<Door>& door) {
  if (!door->acceptor.is_open()) return;
  if (TakeWaiting(*door)) return Accept(door);
  door->pause.expires_after(std::chrono::milliseconds(100));
  door->pause.async_wait([this, door](error_code error) {
    if (!error) Accept(door);
  });
}

// False when the system has no room for them: they stay in the kernel's queue.
bool Listener::TakeWaiting(Door& door) {
  while (true) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const int fd = accept4(door.acceptor.native_handle(), reinterpret_cast<sockaddr*>(&address),
                           &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      Welcome(fd, PeerAt(address));
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
    LogError("cannot accept clients on {}: {}", door.name, std::strerror(errno));
    return false;
  }
}

void Listener::Welcome(int fd, Peer peer) {
  const int clients = shared_.clients.load(std::memory_order_relaxed);
  // Those over the limit are told so, but not without a limit. The last places are for the
  // machine's own users: who only has the network can't keep the owner out.
  const int places = (peer.unix_socket ? 3 : 2) * max_clients_ + 100;
  if (clients >= places) {
    close(fd);
    return;
  }
  peer.over_limit = clients >= max_clients_;
  peer.late = late_ && peer.unix_socket;
  if (!peer.unix_socket) PrepareTcp(fd, keepalive_);
  const auto fewest =
      std::min_element(shared_.hosts.begin(), shared_.hosts.end(),
                       [](const auto& a, const auto& b) { return a->load() < b->load(); });
  (*fewest)->Serve(fd, std::move(peer));
}

void Listener::Close() {
  leave_.cancel();
  leaving_ = false;
  for (const auto& door : doors_) Close(*door);
  doors_.clear();
}

void Listener::Leave(bool but_for_peers) {
  for (const auto& door : doors_) {
    const bool unix_socket = !door->unix_path.empty();
    if (unix_socket && !but_for_peers) {
      Close(*door);
    } else {
      if (!unix_socket && so_reuseport_) TurnNewcomersAway(door->acceptor.native_handle());
      TakeWaiting(*door);
    }
  }
  late_ = but_for_peers;
  leaving_ = true;
  leave_.expires_after(so_reuseport_ ? kHandshake : std::chrono::milliseconds(0));
  leave_.async_wait([this](error_code error) {
    if (!error) CloseTcp();
  });
}

void Listener::CloseTcp() {
  for (const auto& door : doors_) {
    if (door->unix_path.empty()) Close(*door);
  }
  std::erase_if(doors_, [](const auto& door) { return !door->acceptor.is_open(); });
  leaving_ = false;
}

void Listener::Close(Door& door) {
  TakeWaiting(door);
  error_code ignored;
  door.acceptor.close(ignored);
  door.pause.cancel();
  struct stat file{};
  const bool there = !door.unix_path.empty() && stat(door.unix_path.c_str(), &file) == 0;
  if (there && (door.inode == 0 || door.inode == file.st_ino)) unlink(door.unix_path.c_str());
}

std::string Listener::Addresses() const {
  std::string names;
  for (const auto& door : doors_) {
    if (!names.empty()) names += ", ";
    names += door->name;
  }
  return names;
}

}  // namespace pgweir::proxy
