#include "wire/scram_client.h"

#include "gtest/gtest.h"
#include "wire/base64.h"
#include "wire/hash.h"

namespace pgweir::wire {
namespace {

// RFC 7677, section 3, but for the name in client-first-message, which PostgreSQL's clients leave
// empty: proof and signature are therefore computed, by the password and by the other side.
constexpr std::string_view kPassword = "pencil";
constexpr std::string_view kClientNonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view kSalt = "W22ZaJ0SNY7soEsUEjb6gQ==";
constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

ScramLoginRef Login(std::string_view password = kPassword) {
  const std::string salt = Base64Decode(kSalt).value();
  return std::make_shared<ScramLogin>(MakeScramVerifier(kPassword, salt, kScramDefaultIterations),
                                      MakeScramClientKey(password, salt, kScramDefaultIterations));
}

ScramClient Client(std::string_view password = kPassword) {
  ScramClient client(Login(password), "n,,", "", std::string(kClientNonce));
  EXPECT_EQ(client.First(), "n,,n=,r=rOprNGfwEbeRWgbNEkqO");
  return client;
}

Status FinalError(std::string_view server_first) { return Client().Final(server_first).status(); }

TEST(ScramClientKey, IsWhatTheExampleOfTheRfcProves) {
  ScramServer server(Login()->verifier(), std::string(kServerNonce));
  ASSERT_TRUE(server.First("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").ok());
  ASSERT_TRUE(server
                  .Final("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                         "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
                  .ok());
  EXPECT_EQ(server.client_key(), Login()->client_key());
}

TEST(ScramClient, LogsInByTheKeysOfAnotherLogin) {
  ScramClient client = Client();
  ScramServer server(Login()->verifier(), std::string(kServerNonce));
  const auto server_first = server.First("n,,n=,r=rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(*server_first, kServerFirst);
  const auto client_final = client.Final(*server_first);
  ASSERT_TRUE(client_final.ok());
  const auto server_final = server.Final(*client_final);
  ASSERT_TRUE(server_final.ok()) << MessageOf(server_final.status());
  EXPECT_TRUE(client.Check(*server_final).ok());
}

TEST(ScramClient, ProvesNothingByAnotherKey) {
  ScramClient client = Client("pen");
  ScramServer server(Login()->verifier(), std::string(kServerNonce));
  const auto server_first = server.First("n,,n=,r=rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(SqlStateOf(server.Final(*client.Final(*server_first)).status()), "28P01");
}

TEST(ScramClient, SaysWhatItIsBoundTo) {
  ScramClient client(Login(), "p=tls-server-end-point,,", "hash", std::string(kClientNonce));
  EXPECT_TRUE(client.First().starts_with("p=tls-server-end-point,,n=,r="));
  const std::string final = client.Final(kServerFirst).value();
  EXPECT_TRUE(final.starts_with("c=" + Base64Encode("p=tls-server-end-point,,hash") + ",r="))
      << final;
}

TEST(ScramClient, RefusesAnotherSaltOrIterationCount) {
  const std::string nonce = "r=rOprNGfwEbeRWgbNEkqOx,";
  for (const char* rest : {"s=W22ZaJ0SNY7soEsUEjb6gA==,i=4096", "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
                           "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=04096"}) {
    const Status error = FinalError(nonce + rest);
    EXPECT_EQ(SqlStateOf(error), "28P01") << rest;
    EXPECT_NE(MessageOf(error).find("salt"), std::string::npos);
  }
}

// Rule 17
TEST(ScramClient, RefusesANonceThatDoesNotContinueOurs) {
  const std::string rest = ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
  for (const std::string& nonce :
       {std::string("another"), std::string(kClientNonce), std::string(kClientNonce) + "\x7f",
        std::string(kClientNonce) + std::string(2000, 'x')}) {
    EXPECT_EQ(SqlStateOf(FinalError("r=" + nonce + rest)), "08P01") << nonce;
  }
}

TEST(ScramClient, RefusesMalformedMessages) {
  for (const char* message : {"", "r", "m=x,r=rOprNGfwEbeRWgbNEkqOx", "r=rOprNGfwEbeRWgbNEkqOx",
                              "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ=="}) {
    EXPECT_EQ(SqlStateOf(FinalError(message)), "08P01") << message;
  }
}

TEST(ScramClient, RefusesAServerThatDoesNotKnowTheSecret) {
  ScramClient client = Client();
  ASSERT_TRUE(client.Final(kServerFirst).ok());
  const std::string wrong = "v=" + Base64Encode(std::string(32, 'x'));
  EXPECT_EQ(SqlStateOf(client.Check(wrong)), "28P01");
  EXPECT_EQ(SqlStateOf(client.Check("e=invalid-proof")), "28P01");
  EXPECT_EQ(SqlStateOf(client.Check("x=y")), "08P01");
  EXPECT_EQ(SqlStateOf(client.Check("")), "08P01");
}

}  // namespace
}  // namespace pgweir::wire
