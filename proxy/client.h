#pragma once

#include <string>

#include "net/event.h"
#include "net/output.h"
#include "net/stream.h"
#include "net/task.h"
#include "net/worker.h"
#include "proxy/host.h"
#include "proxy/statistics.h"

namespace pgweir::proxy {

// A client's connection: its stream, what could not be sent yet, what came but is not understood
// yet, and the event that everything about its session sets.
class Client {
 public:
  Client(net::Worker& worker, int fd, Peer peer);

  Peer peer;
  net::Event event;
  net::Stream stream;
  net::Output output;
  // Bytes read that wait for more: at most a message's head, or a request up to its Sync.
  std::string input;
  // Of what it is logged in to.
  Counters* counters = &Counters::Unread();

  // Sends, or keeps what can't be sent yet. False when the client is gone.
  bool Send(std::string_view bytes);
  bool Send(wire::Bytes bytes);
  bool Send(std::span<const std::string_view> pieces);

  // `input` never grows beyond this, half of what a worker's scratch holds.
  static constexpr size_t kMaxInput = net::Worker::kScratchSize / 2;

  // Appends what there is to read to `input`, waiting for something. False at the end of the
  // stream, when the event's deadline has passed, or when `input` is full.
  net::Task<bool> ReadMore();
  // Waits until everything is sent. False as for ReadMore.
  net::Task<bool> Flush();
};

}  // namespace pgweir::proxy
