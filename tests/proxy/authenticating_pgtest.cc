// The time between being asked for a password and having given it.

#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

class Authenticating : public ProxyTest {
 protected:
  // At the point where pgweir waits for the password.
  RawClient AskedForPassword() {
    if (!process_) {
      process_ = std::make_unique<PgweirProcess>(
          PgweirOptions{.listen = "client_login_timeout = \"700ms\"",
                        .auth = "method = \"md5\"\nusers_file = \"users.txt\"",
                        .databases = DatabaseToml("*", server().port())});
    }
    RawClient client(process_->port());
    client.Send(fe::Startup({{"user", "postgres"}}));
    client.Expect('R');
    return client;
  }

  std::unique_ptr<PgweirProcess> process_;
};

// Rule 16
TEST_F(Authenticating, OtherMessagesAreRefused) {
  for (const std::string& message : {fe::Query("select 1"), fe::Sync(), fe::Typed('y', "")}) {
    RawClient client = AskedForPassword();
    client.Send(message);
    EXPECT_EQ(Field(client.Expect('E'), 'C'), "08P01");
    EXPECT_TRUE(client.ClosedByPeer());
  }
}

// Rule 16
TEST_F(Authenticating, OversizedPasswordIsRefusedBeforeItIsRead) {
  for (uint32_t length : {70'000u, 0x3fffffffu, 0xffffffffu, 3u}) {
    RawClient client = AskedForPassword();
    client.Send("p" + fe::Int32(length));
    EXPECT_EQ(Field(client.Expect('E'), 'C'), "08P01") << length;
    EXPECT_TRUE(client.ClosedByPeer());
  }
}

// Rule 16
TEST_F(Authenticating, MalformedPasswordIsRefused) {
  for (const char* body : {"", "unterminated"}) {
    RawClient client = AskedForPassword();
    client.Send(fe::Typed('p', body));
    EXPECT_EQ(Field(client.Expect('E'), 'C'), "08P01");
  }
}

// Rule 16: whoever says nothing may not stay.
TEST_F(Authenticating, IsBoundedInTime) {
  RawClient asked = AskedForPassword();
  RawClient silent(process_->port());
  silent.set_timeout_ms(5000);
  asked.set_timeout_ms(5000);
  EXPECT_EQ(asked.Expect('E').type, 'E');
  EXPECT_TRUE(asked.ClosedByPeer());
  try {
    EXPECT_EQ(silent.Read().type, 'E');
  } catch (const std::runtime_error& end) {
    EXPECT_NE(std::string(end.what()).find("closed"), std::string::npos);
  }
}

}  // namespace
}  // namespace pgweir::test
