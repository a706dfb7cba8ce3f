#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "proxy/host.h"

namespace pgweir::proxy {

// The sockets that clients connect to, on the supervisor's thread. Each new client goes to the
// worker that has the fewest.
class Listener {
 public:
  Listener(boost::asio::io_context& io, Shared& shared) : io_(io), shared_(shared), leave_(io) {}
  ~Listener() { Close(); }

  // Opens what the configuration names; the error says which address and why.
  Status Open(const config::Listen& listen);
  // What a reload changes: for clients to come.
  void Adapt(const config::Listen& listen) {
    max_clients_ = listen.max_clients;
    keepalive_ = listen.tcp_keepalive;
  }
  // At once: the kernel refuses whoever is about to connect.
  void Close();
  // Who has connected by now, or is about to, is still served; from then on the kernel refuses new
  // clients, or leads them to whoever listens on the same port. `but_for_peers`: these still reach
  // this process by its unix socket, with cancel requests for whom it has.
  void Leave(bool but_for_peers);
  // Somebody may still be about to connect.
  bool leaving() const { return leaving_; }

  // "127.0.0.1:6432, /run/pgweir/.s.PGSQL.6432"
  std::string Addresses() const;

 private:
  using Protocol = boost::asio::generic::stream_protocol;
  using Acceptor = boost::asio::basic_socket_acceptor<Protocol>;
  struct Door {
    Acceptor acceptor;
    std::string name;
    std::string unix_path;  // "" = TCP
    boost::asio::steady_timer pause;
    ino_t inode = 0;  // of unix_path's file as this door made it; 0 = not known
  };

  Status OpenTcp(const std::string& address, uint16_t port);
  Status OpenUnix(const config::Listen& listen);
  Status TakeOver(const std::string& path, const config::Listen& listen);
  // `listen` says who may use a unix socket; null for others.
  Status Bind(const Protocol::endpoint& endpoint, std::string name, std::string unix_path,
              const config::Listen* listen = nullptr);
  void Accept(const std::shared_ptr<Door>& door);
  void AcceptAll(const std::shared_ptr<Door>& door);
  bool TakeWaiting(Door& door);
  void Close(Door& door);
  void CloseTcp();
  void Welcome(int fd, Peer peer);

  boost::asio::io_context& io_;
  Shared& shared_;
  int max_clients_ = 0;
  config::TcpKeepalive keepalive_;
  bool so_reuseport_ = false;
  bool late_ = false;  // who comes by the unix socket now is no client any more
  bool leaving_ = false;
  boost::asio::steady_timer leave_;
  std::vector<std::shared_ptr<Door>> doors_;
};

}  // namespace pgweir::proxy
