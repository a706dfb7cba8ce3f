#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace pgweir::test {

// Finds where messages begin and end in one direction of a plain connection, for a gate that acts
// on the n-th message of a type. Start-up packets have type 0.
class MessageScanner {
 public:
  enum class Verdict { kPass, kFireBefore, kFireAfter };
  using OnMessage = std::function<Verdict(char type)>;

  explicit MessageScanner(bool from_client) : startup_(from_client) {}

  struct Step {
    size_t used = 0;     // bytes to forward now; the rest (part of a header) waits for more
    bool fired = false;  // at exactly `used`
  };
  // Looks at `data`, the unused rest of the last step with new bytes behind it.
  Step Scan(std::string_view data, const OnMessage& on_message);

  // SSLRequests and GSSENCRequests seen since the last call: each is answered by one bare byte.
  int TakeRequestsForByte() { return std::exchange(requests_, 0); }
  void ExpectBareByte() { ++bare_bytes_; }
  // The bare byte that was answered last; 'S' and 'G' mean that what follows is encrypted.
  char last_bare_byte() const { return last_bare_byte_; }
  void BecomeOpaque() { opaque_ = true; }

 private:
  size_t HeaderSize() const { return startup_ ? 8 : 5; }
  // Reads the header at the front of `data`, returns the type and sets left_.
  char TakeHeader(std::string_view data);

  bool startup_;
  bool opaque_ = false;
  bool fire_at_end_ = false;
  int requests_ = 0;
  int bare_bytes_ = 0;
  char last_bare_byte_ = 0;
  uint64_t left_ = 0;  // bytes of the current message, header included, that have yet to pass
};

}  // namespace pgweir::test
