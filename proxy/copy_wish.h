#pragma once

#include <string>
#include <string_view>

#include "config/config.h"
#include "proxy/request_contents.h"

namespace pgweir::proxy {

// Which of a node's servers a request asks for, or is to have because of who asks.
struct CopyWish {
  enum class Role : uint8_t {
    kAuto,     // a replica if it surely but reads
    kPrimary,  // the primary
    kReplica,  // a replica, whatever it does
  };
  Role role = Role::kAuto;
  std::string label;          // of the replica; "" = one that is set apart for nothing
  std::string_view why = "";  // "" = nobody has said anything
};

// Whose request it is.
struct Asker {
  std::string_view user, address;
};

// By its comments, else by the session's pgweir.role, else by the labels for the user and for the
// application. 22023 for a comment that makes no sense.
StatusOr<CopyWish> WishOf(const RequestContents& request, const ReadingContext& context,
                          const config::ReplicaLabels& labels, const Asker& asker);

}  // namespace pgweir::proxy
