#include "pooler/login_keys.h"

#include <gtest/gtest.h>

namespace pgweir::pooler {
namespace {

constexpr const char* kPassword = "pencil";

std::string Secret(std::string_view salt) {
  return wire::FormatScramVerifier(wire::MakeScramVerifier(kPassword, salt, 1));
}
wire::ScramKey Key(std::string_view salt) { return wire::MakeScramClientKey(kPassword, salt, 1); }

TEST(LoginKeys, AreKeptForTheirSecretOnly) {
  LoginKeys keys;
  keys.Remember("alice", Secret("one"), Key("one"));
  const auto login = keys.Find("alice", Secret("one"));
  ASSERT_NE(login, nullptr);
  EXPECT_EQ(login->client_key(), Key("one"));
  EXPECT_EQ(keys.Find("alice", Secret("two")), nullptr);
  EXPECT_EQ(keys.Find("bob", Secret("one")), nullptr);
}

TEST(LoginKeys, StayTheSameObjectWhileTheSecretDoes) {
  LoginKeys keys;
  keys.Remember("alice", Secret("one"), Key("one"));
  const auto login = keys.Find("alice", Secret("one"));
  keys.Remember("alice", Secret("one"), Key("one"));
  keys.RememberPassword("alice", Secret("one"), kPassword);
  EXPECT_EQ(keys.Find("alice", Secret("one")), login);
  EXPECT_TRUE(keys.Keeps("alice", login));
  keys.Remember("alice", Secret("two"), Key("two"));
  EXPECT_FALSE(keys.Keeps("alice", login));
  EXPECT_NE(keys.Find("alice", Secret("two")), nullptr);
}

TEST(LoginKeys, ComeOfThePasswordToo) {
  LoginKeys keys;
  keys.RememberPassword("alice", Secret("one"), kPassword);
  ASSERT_NE(keys.Find("alice", Secret("one")), nullptr);
  EXPECT_EQ(keys.Find("alice", Secret("one"))->client_key(), Key("one"));
}

TEST(LoginKeys, ThatDoNotBelongToTheSecretAreNotKept) {
  LoginKeys keys;
  keys.Remember("alice", Secret("one"), Key("two"));
  keys.Remember("alice", "a plain password", Key("one"));
  keys.RememberPassword("alice", Secret("one"), "pen");
  EXPECT_EQ(keys.Find("alice", Secret("one")), nullptr);
  EXPECT_EQ(keys.Find("alice", "a plain password"), nullptr);
}

TEST(LoginKeys, AreForgottenWhenTheirSecretIsGone) {
  LoginKeys keys;
  keys.Remember("alice", Secret("one"), Key("one"));
  keys.Remember("bob", Secret("one"), Key("one"));
  keys.ForgetUnless([](const std::string& user, const std::string& secret) {
    return user == "bob" && secret == Secret("one");
  });
  EXPECT_EQ(keys.Find("alice", Secret("one")), nullptr);
  EXPECT_NE(keys.Find("bob", Secret("one")), nullptr);
}

}  // namespace
}  // namespace pgweir::pooler
