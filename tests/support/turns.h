#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/support/proxy_test.h"

namespace pgweir::test {

// Clients that take turns on one backend; or, directly, each on a connection of its own: what the
// tests expect of the one holds for the other.
class Turns : public BothWays {
 protected:
  void SetUp() override;
  void TearDown() override;

  // What else stands in [pool], for the next test's pgweir.
  virtual std::string MorePool() const { return ""; }

  int port() const;
  RawClient Client() const { return RawClient::Login(port()); }
  std::string Conninfo(std::string_view more = "") const;
  bool through() const { return GetParam() == Way::kThrough; }

  std::unique_ptr<PgweirProcess> process_;
};

// The answer as one line: message types, with the columns of rows, the tags of commands, the
// SQLSTATEs of errors and the status of ReadyForQuery behind them. Notices and changes of
// parameters are left out.
std::string Line(const std::vector<Message>& messages);
// Sends and reads up to the next ReadyForQuery.
std::string Ask(RawClient& client, std::string_view bytes);
// Likewise a Query.
std::string Simple(RawClient& client, std::string_view sql);
// Likewise a batch and its Sync.
std::string Batch(RawClient& client, std::string_view bytes);

}  // namespace pgweir::test
