// Asio's own code, compiled once for the relay, which links no room.
#include <boost/asio/impl/src.hpp>
