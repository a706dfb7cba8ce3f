#pragma once

#include "observe/statement_record.h"
#include "proxy/plans.h"

namespace pgweir::proxy {

// The client whose statements are followed.
class WatchedClient : public PlanSource {
 public:
  // What they refer to lives as long as the client. All but where it is,
  virtual observe::ClientFacts Facts() const = 0;
  // which takes longer to find out.
  virtual void AddAddress(observe::ClientFacts& facts) const = 0;

 protected:
  ~WatchedClient() = default;
};

}  // namespace pgweir::proxy
