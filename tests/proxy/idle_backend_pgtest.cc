// What a backend may say and suffer while nobody uses it.

#include <thread>

#include "fmt/format.h"
#include "tests/support/gate.h"
#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

class IdleBackend : public ProxyTest {
 protected:
  IdleBackend() : gate_(server().port()) {}

  static std::string Pid(const Connection& client) {
    return client.Value("select pg_backend_pid()");
  }

  // What a backend says while nobody uses it, and whether it is kept.
  bool KeptAfter(const std::string& bytes) {
    PgweirProcess process(
        {.pool = "size = 1", .databases = DatabaseToml("*", gate_.port(), "sslmode=disable")});
    Connection client(process.Conninfo());
    std::string pid = Pid(client);
    gate_.Inject(Side::kToClient, bytes);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    bool heard = false;
    PQsetNoticeReceiver(
        client.get(), [](void* told, const PGresult*) { *static_cast<bool*>(told) = true; },
        &heard);
    bool kept = Pid(client) == pid;
    EXPECT_EQ(client.Value("select 'still right'"), "still right");
    EXPECT_FALSE(heard);
    EXPECT_EQ(PQnotifies(client.get()), nullptr);
    return kept;
  }

  Gate gate_;
};

// Rules 65 and 69: nobody notices the death of a backend that nobody uses.
TEST_F(IdleBackend, IsReplacedUnnoticedWhenTerminated) {
  PgweirProcess process({.pool = "size = 2", .databases = DatabaseToml("*", server().port())});
  Connection client(process.Conninfo());
  for (int i = 0; i < 40; ++i) {
    std::string pid = Pid(client);
    server().Query("select pg_terminate_backend(" + pid + ")");
    // With and without the time to notice.
    bool gone = i % 2 == 1 || server().WaitBackends(0, std::chrono::seconds(5), "pid = " + pid);
    ASSERT_TRUE(gone);
    Result result = client.Exec("select 1");
    ASSERT_TRUE(result.ok()) << i << ": " << result.message();
  }
}

std::string Fields(const char* severity, const char* sqlstate) {
  std::string body;
  for (const std::string& field : {fmt::format("S{}", severity), fmt::format("V{}", severity),
                                   fmt::format("C{}", sqlstate), std::string("Msaid")}) {
    body += field + '\0';
  }
  return body + '\0';
}

// Rule 63
TEST_F(IdleBackend, MayGiveANotice) {
  EXPECT_TRUE(KeptAfter(fe::Typed('N', Fields("WARNING", "01000"))));
}

// Rule 64
TEST_F(IdleBackend, MayNotify) {
  EXPECT_TRUE(KeptAfter(fe::Typed('A', fe::Int32(1) + std::string("channel\0payload\0", 16))));
}

// Rule 62
TEST_F(IdleBackend, MayReportAParameter) {
  EXPECT_TRUE(KeptAfter(fe::Typed('S', std::string("in_hot_standby\0off\0", 19))));
}

// Rule 65
TEST_F(IdleBackend, IsDiscardedAfterAnError) {
  EXPECT_FALSE(KeptAfter(fe::Typed('E', Fields("FATAL", "57P01"))));
}

// Rule 65: anything else means that the two no longer agree where they are.
TEST_F(IdleBackend, IsClosedWhenItSaysAnythingElse) {
  EXPECT_FALSE(KeptAfter(fe::Typed('Z', "I")));
  EXPECT_FALSE(KeptAfter(fe::Typed('D', std::string("\0\1\0\0\0\1x", 7))));
  EXPECT_FALSE(KeptAfter("not a message at all, and more of it"));
}

}  // namespace
}  // namespace pgweir::test
