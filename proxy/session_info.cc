// A session as the console shows it.

#include <charconv>
#include <tuple>
#include <utility>

#include "net/address.h"
#include "net/tls.h"
#include "proxy/session.h"

namespace pgweir::proxy {
namespace {

std::string ApplicationName(const wire::ParametersRef& parameters) {
  const std::string* name = parameters == nullptr ? nullptr : parameters->Find("application_name");
  return name == nullptr ? "" : *name;
}

// The address and, over TCP, the port.
std::pair<std::string_view, std::string_view> PartsOf(std::string_view peer) {
  const size_t colon = peer.rfind(':');
  return {peer.substr(0, colon), colon == std::string_view::npos ? "" : peer.substr(colon + 1)};
}

}  // namespace

void Session::AddAddress(observe::ClientFacts& facts) const {
  const auto [address, port] = PartsOf(client_.peer.address);
  facts.address = client_.peer.unix_socket ? "[local]" : address;
  std::from_chars(port.data(), port.data() + port.size(), facts.port);
}

observe::ClientFacts Session::Facts() const {
  observe::ClientFacts facts;
  facts.database = database_;
  facts.user = user_;
  facts.pid = static_cast<uint32_t>(id_.value);
  facts.connected = connected_at_;
  return facts;
}

PlanSource::Place Session::PlaceForPlan(std::string_view node) {
  const Node* const known = FindNode(std::string(node));
  if (known == nullptr) return {};
  return {known->primary, own_.parameters};
}

ClientInfo Session::Describe() {
  ClientInfo info;
  info.id = id_.value;
  info.logged_in = logged_in_;
  info.user = user_;
  info.database = database_;
  if (replication_ != nullptr) info.replication = *replication_;
  info.state = !logged_in_                     ? "login"
               : waiting_since_ != kNoDeadline ? "waiting"
               : attached() || console_        ? "active"
                                               : "idle";
  info.fd = client_.stream.socket().fd();
  std::tie(info.address, info.port) = PartsOf(client_.peer.address);
  std::tie(info.local_address, info.local_port) = net::LocalAddress(info.fd);
  if (const auto peer = net::PeerOf(info.fd); peer.has_value()) info.process_id = peer->pid;
  if (client_.stream.tls()) info.tls = net::DescribeTls(client_.stream.ssl());
  info.connected_at = connected_at_;
  info.close_needed = !killed_.ok();
  info.request_at = waiting_since_ == kNoDeadline ? own_.request_at : waiting_since_;
  info.waiting_since = waiting_since_;
  info.application_name = ApplicationName(own_.parameters);
  info.prepared = static_cast<int>(own_.state.named());
  if (!attached()) return info;
  pooler::Backend& backend = *relay().lease();
  info.backend = backend.id().value;
  info.backend_prepared = static_cast<int>(backend.prepared.size());
  info.backend_application_name = ApplicationName(backend.parameters);
  return info;
}

bool Session::busy() const {
  if (console_ != nullptr || !logged_in_) return false;
  return !client_.output.empty() || (attached() && relay().holds_bytes());
}

}  // namespace pgweir::proxy
