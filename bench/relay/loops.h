#pragma once

#include <netinet/in.h>

#include <cstdint>

namespace pgweir::bench {

// Each runs a relay until the process is killed.

// An edge-triggered epoll and nothing else: the yardstick.
void RunEpoll(uint16_t port, const sockaddr_in& server);

// The same epoll as one descriptor inside an io_context, polled once each time Asio reports it.
void RunNested(uint16_t port, const sockaddr_in& server);

// As nested, but while there is work the handler waits on our epoll itself, and lets the io_context
// have a turn once a millisecond or when another thread asks for it.
void RunHot(uint16_t port, const sockaddr_in& server);

// As hot, but a timer in our epoll bounds the wait instead of each wait's own timeout.
void RunHotTick(uint16_t port, const sockaddr_in& server);

// Asio's reactor, coroutines, async_read_some: each read is tried before it is waited for.
void RunAsio(uint16_t port, const sockaddr_in& server);

// Asio's reactor, coroutines, async_wait and then a non-blocking read.
void RunAsioWait(uint16_t port, const sockaddr_in& server);

}  // namespace pgweir::bench
