#pragma once

#include <memory>
#include <string>

#include "tests/support/gate.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {

// A pgweir for each test, which reaches its server through a gate. The server has an empty table
// written (id int).
class GatedTest : public ProxyTest {
 protected:
  void SetUp() override;
  void TearDown() override;

  Connection Client() const { return Connection(process_->Conninfo()); }
  static std::string Pid(const Connection& client) {
    return client.Value("select pg_backend_pid()");
  }

  std::unique_ptr<Gate> gate_;
  std::unique_ptr<PgweirProcess> process_;
};

}  // namespace pgweir::test
