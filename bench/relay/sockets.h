#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>

namespace pgweir::bench {

// Non-blocking, on the loopback address. These end the program when they fail: a relay that can't
// listen has nothing to measure.
int ListenOn(uint16_t port);

// "ADDRESS:PORT", numeric.
sockaddr_in ParseAddress(const std::string& text);

// The next waiting client, or -1 when there is none.
int AcceptClient(int listener);

// Non-blocking once connected. Connecting blocks: on loopback that is over before it returns, and
// it is not what is measured. -1 when the server refuses.
int ConnectTo(const sockaddr_in& server);

}  // namespace pgweir::bench
