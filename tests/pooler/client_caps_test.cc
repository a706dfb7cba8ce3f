#include "pooler/client_caps.h"

#include <gtest/gtest.h>

namespace pgweir::pooler {
namespace {

class ClientCapsTest : public testing::Test {
 protected:
  ClientCapsTest() {
    config_.databases["small"].pool.max_db_client_connections = 2;
    config_.databases["*"];
    config_.users["one"].max_user_client_connections = 1;
  }
  StatusOr<ClientCaps::Ticket> Admit(const std::string& database, const std::string& user) {
    return caps_.Admit(config_, *config_.FindDatabase(database), database, user);
  }

  config::Config config_;
  ClientCaps caps_;
};

TEST_F(ClientCapsTest, RefusesOneTooManyOfADatabase) {
  auto first = Admit("small", "a");
  const auto second = Admit("small", "b");
  ASSERT_TRUE(first.ok() && second.ok());
  const auto third = Admit("small", "c");
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(SqlStateOf(third.status()), "53300");
  EXPECT_EQ(MessageOf(third.status()),
            "too many clients of database \"small\" already: 2 are connected "
            "(pool.max_db_client_connections)");
  EXPECT_TRUE(Admit("other", "c").ok());
  *first = ClientCaps::Ticket();
  EXPECT_TRUE(Admit("small", "c").ok());
}

TEST_F(ClientCapsTest, RefusesOneTooManyOfAUserInAllDatabases) {
  {
    const auto first = Admit("a", "one");
    ASSERT_TRUE(first.ok());
    const auto second = Admit("b", "one");
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(MessageOf(second.status()),
              "too many clients of user \"one\" already: 1 are connected "
              "(pool.max_user_client_connections)");
    EXPECT_TRUE(Admit("b", "other").ok());
  }
  EXPECT_TRUE(Admit("b", "one").ok());
}

// A refused client is counted nowhere.
TEST_F(ClientCapsTest, RefusalByTheUsersCapLeavesTheDatabasesCountAlone) {
  const auto first = Admit("a", "one");
  ASSERT_TRUE(first.ok());
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(Admit("small", "one").ok());
  const auto second = Admit("small", "b");
  EXPECT_TRUE(second.ok());
  EXPECT_TRUE(Admit("small", "c").ok());
}

TEST_F(ClientCapsTest, NewLimitCountsThoseWhoCameBefore) {
  const auto first = Admit("a", "u");
  const auto second = Admit("a", "u");
  ASSERT_TRUE(first.ok() && second.ok());
  config_.pool.max_user_client_connections = 2;
  EXPECT_FALSE(Admit("a", "u").ok());
}

}  // namespace
}  // namespace pgweir::pooler
