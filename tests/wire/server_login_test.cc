#include "wire/server_login.h"

#include "gtest/gtest.h"
#include "wire/hash.h"
#include "wire/md5.h"
#include "wire/messages.h"

namespace pgweir::wire {
namespace {

using std::string_literals::operator""s;

ScramLoginRef Scram() {
  return std::make_shared<ScramLogin>(MakeScramVerifier("pencil", "salt", 1),
                                      MakeScramClientKey("pencil", "salt", 1));
}

HashedLogin Md5() { return Md5Login{Md5Secret("wonder", "mary")}; }

ServerLogin ByScram(ServerLogin::ChannelBinding binding = {}) {
  return ServerLogin(Scram(), std::move(binding), "nonce");
}

std::string Welcome() {
  std::string out;
  AppendParameterStatus(out, "server_version", "15.1");
  AppendBackendKeyData(out, 77, "key!");
  AppendReadyForQuery(out, TransactionStatus::kIdle);
  return out;
}

// What the login makes of one piece of input.
struct Outcome {
  StatusOr<bool> ready;
  std::string out;
};
Outcome Feed(ServerLogin& login, std::string in) {
  Outcome outcome;
  outcome.ready = login.Take(in, outcome.out);
  return outcome;
}
std::string State(const Outcome& outcome) { return SqlStateOf(outcome.ready.status()); }

std::string Ok() {
  std::string out;
  AppendAuthenticationOk(out);
  return out;
}
std::string Sasl(const std::vector<std::string_view>& mechanisms) {
  std::string out;
  AppendAuthenticationSasl(out, mechanisms);
  return out;
}

TEST(ServerLogin, AnswersMd5WithTheStoredSecret) {
  ServerLogin login(Md5(), {}, "");
  std::string request;
  AppendAuthenticationMd5Password(request, "abcd");
  const Outcome asked = Feed(login, request);
  ASSERT_TRUE(asked.ready.ok());
  EXPECT_EQ(asked.out, "p\0\0\0\x28"s + Md5Response(Md5Secret("wonder", "mary"), "abcd") + '\0');
  EXPECT_TRUE(*Feed(login, Ok() + Welcome()).ready);
  EXPECT_EQ(login.process_id(), 77u);
  EXPECT_EQ(login.cancel_key(), "key!");
  EXPECT_EQ(*login.parameters().Find("server_version"), "15.1");
}

// Takes the login through SCRAM up to the server's last word, which is returned.
std::string ToServerFinal(ServerLogin& login, ScramServer& server) {
  const Outcome first = Feed(login, Sasl({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}));
  const auto initial = ReadSaslInitialResponse(AsBytes(first.out).subspan(kHeaderSize));
  EXPECT_EQ(initial->mechanism, "SCRAM-SHA-256");
  std::string request;
  AppendAuthenticationSaslContinue(request, server.First(*initial->data).value());
  const Outcome second = Feed(login, request);
  request.clear();
  AppendAuthenticationSaslFinal(request, server.Final(second.out.substr(kHeaderSize)).value());
  return request;
}

TEST(ServerLogin, AnswersScramWithTheKeys) {
  ServerLogin login = ByScram();
  ScramServer server(Scram()->verifier(), "theirs");
  const std::string last = ToServerFinal(login, server);
  EXPECT_TRUE(*Feed(login, last + Ok() + Welcome()).ready);
}

TEST(ServerLogin, IsTheSameWhereverTheInputIsCut) {
  ServerLogin login = ByScram();
  ScramServer server(Scram()->verifier(), "theirs");
  const std::string all = ToServerFinal(login, server) + Ok() + Welcome();
  std::string in, out;
  for (size_t i = 0; i < all.size(); ++i) {
    in += all[i];
    const auto ready = login.Take(in, out);
    ASSERT_TRUE(ready.ok()) << i;
    EXPECT_EQ(*ready, i + 1 == all.size());
  }
}

TEST(ServerLogin, LeavesWhatComesBehindTheStartup) {
  ServerLogin login(Md5(), {}, "");
  std::string in = Ok() + Welcome() + "rest", out;
  EXPECT_TRUE(*login.Take(in, out));
  EXPECT_EQ(in, "rest");
}

TEST(ServerLogin, IsNotLetInBeforeTheServerHasProvedItself) {
  ServerLogin login = ByScram();
  ScramServer server(Scram()->verifier(), "theirs");
  ToServerFinal(login, server);
  EXPECT_EQ(State(Feed(login, Ok())), "08P01");
  ServerLogin early = ByScram();
  Feed(early, Sasl({"SCRAM-SHA-256"}));
  EXPECT_EQ(State(Feed(early, Ok())), "08P01");
}

TEST(ServerLogin, RefusesScramMessagesOutOfTurn) {
  std::string next, last;
  AppendAuthenticationSaslContinue(next, "r=noncex,s=c2FsdA==,i=1");
  AppendAuthenticationSaslFinal(last, "v=x");
  ServerLogin unasked = ByScram();
  EXPECT_EQ(State(Feed(unasked, next)), "08P01");
  ServerLogin unchallenged = ByScram();
  EXPECT_EQ(State(Feed(unchallenged, Sasl({"SCRAM-SHA-256"}) + last)), "08P01");
  ServerLogin twice = ByScram();
  EXPECT_EQ(State(Feed(twice, Sasl({"SCRAM-SHA-256"}) + next + next)), "08P01");
  ServerLogin again = ByScram();
  EXPECT_EQ(State(Feed(again, Sasl({"SCRAM-SHA-256"}) + Sasl({"SCRAM-SHA-256"}))), "08P01");
}

TEST(ServerLogin, SaysWhatCanNotBeProvedByAHash) {
  std::string clear, md5;
  AppendAuthenticationCleartextPassword(clear);
  AppendAuthenticationMd5Password(md5, "abcd");
  for (const std::string& request :
       {clear, md5, Sasl({"SCRAM-SHA-512"}), "R\0\0\0\x08\0\0\0\x07"s}) {
    ServerLogin login = ByScram();
    EXPECT_EQ(State(Feed(login, request)), "28000");
  }
  for (const std::string& request : {clear, Sasl({"SCRAM-SHA-256"})}) {
    ServerLogin login(Md5(), {}, "");
    EXPECT_EQ(State(Feed(login, request)), "28000");
  }
}

TEST(ServerLogin, BindsToTheChannelWhereItCan) {
  const auto header = [](const ServerLogin::ChannelBinding& binding,
                         const std::vector<std::string_view>& mechanisms) {
    ServerLogin login = ByScram(binding);
    const Outcome outcome = Feed(login, Sasl(mechanisms));
    if (!outcome.ready.ok()) return State(outcome);
    const auto initial = ReadSaslInitialResponse(AsBytes(outcome.out).subspan(kHeaderSize));
    return std::string(initial->mechanism) + " " +
           std::string(initial->data->substr(0, initial->data->find(",,")));
  };
  const std::vector<std::string_view> both = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};
  const ServerLogin::ChannelBinding can{.server_end_point = "hash"};
  const ServerLogin::ChannelBinding must{.server_end_point = "hash", .required = true};
  EXPECT_EQ(header(can, both), "SCRAM-SHA-256-PLUS p=tls-server-end-point");
  EXPECT_EQ(header(must, both), "SCRAM-SHA-256-PLUS p=tls-server-end-point");
  EXPECT_EQ(header(can, {"SCRAM-SHA-256"}), "SCRAM-SHA-256 y");
  EXPECT_EQ(header({}, both), "SCRAM-SHA-256 n");
  EXPECT_EQ(header(must, {"SCRAM-SHA-256"}), "28000");
  EXPECT_EQ(header({.required = true}, both), "28000");
  ServerLogin trusted = ByScram(must);
  EXPECT_EQ(State(Feed(trusted, Ok())), "28000");
}

// Rule 19
TEST(ServerLogin, PassesTheServersErrorOn) {
  std::string error;
  AppendErrorResponse(error, {.severity = "FATAL", .sqlstate = "53300", .message = "full"});
  ServerLogin login = ByScram();
  const Outcome outcome = Feed(login, error);
  EXPECT_EQ(State(outcome), "53300");
  EXPECT_EQ(MessageOf(outcome.ready.status()), "full");
  EXPECT_TRUE(login.refused());
}

// Rule 19: a field that is missing is never relied upon.
TEST(ServerLogin, UnderstandsAnErrorWithoutFields) {
  ServerLogin login = ByScram();
  EXPECT_EQ(State(Feed(login, "E\0\0\0\x05\0"s)), "08001");
  ServerLogin unreadable = ByScram();
  EXPECT_EQ(State(Feed(unreadable, "E\0\0\0\x06Sx"s)), "08P01");
}

TEST(ServerLogin, RefusesWhatNoServerSays) {
  std::string in_transaction;
  AppendReadyForQuery(in_transaction, TransactionStatus::kInTransaction);
  for (const std::string& nonsense :
       {"HTTP/1.1 400 Bad"s, "R\0\0\0\x03"s, "R\x7f\0\0\0"s, "R\0\0\0\x06\0\0"s, Welcome(),
        Ok() + Ok(), Ok() + in_transaction, Ok() + "K\0\0\0\x05x"s, Ok() + "S\0\0\0\x05x"s,
        "R\0\0\0\x0a\0\0\0\x05"
        "ab"s}) {
    ServerLogin login(Md5(), {}, "");
    EXPECT_EQ(State(Feed(login, nonsense)), "08P01") << nonsense;
  }
}

}  // namespace
}  // namespace pgweir::wire
