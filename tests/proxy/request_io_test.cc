// What a client without a backend is answered, over a socket pair.

#include "proxy/request.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "tests/net/on_worker.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using State = RequestReader::State;

std::string Typed(char type, std::string_view body) {
  std::string message(1, type);
  const auto length = static_cast<uint32_t>(body.size() + 4);
  for (int shift = 24; shift >= 0; shift -= 8) message += static_cast<char>(length >> shift);
  return message += body;
}

std::string Query(std::string_view sql) {
  std::string message;
  wire::AppendQuery(message, sql);
  return message;
}

const std::string kParse = Typed('P', std::string("\0select 1\0\0\0", 12));
const std::string kSync = Typed('S', "");
const std::string kIdle = Typed('Z', "I");

class Request : public testing::Test {
 protected:
  Request() {
    std::array<int, 2> fds{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()), 0);
    peer_ = fds[1];
    worker_.Do([&] {
      client_ = std::make_unique<Client>(*worker_, fds[0], Peer{});
      reader_ = std::make_unique<RequestReader>(*client_);
    });
  }
  ~Request() override {
    worker_.Do([&] {
      reader_.reset();
      client_.reset();
    });
    close(peer_);
  }

  // What the reader makes of these bytes once they have come; the request goes to request_.
  State Feed(std::string_view bytes) {
    EXPECT_EQ(write(peer_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    return worker_.Await<State>([&] { return PollOnce(); });
  }
  net::Task<State> PollOnce() {
    while (!client_->stream.readable()) co_await client_->event.Wait();
    wire::Bytes request;
    const State state = reader_->Poll(request);
    request_ = wire::AsText(request);
    co_return state;
  }
  std::string Answer() {
    worker_.Do([] {});  // to the end of the turn that answers
    std::array<char, 4096> bytes{};
    const ssize_t n = read(peer_, bytes.data(), bytes.size());
    return n > 0 ? std::string(bytes.data(), static_cast<size_t>(n)) : "";
  }

  net::RunningWorker worker_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<RequestReader> reader_;
  std::string request_;
  int peer_ = -1;
};

// Rule 21
TEST_F(Request, IsReadyWhenItsLastByteIsThere) {
  const std::string query = Query("select 1");
  for (size_t i = 0; i + 1 < query.size(); ++i) {
    EXPECT_EQ(Feed(query.substr(i, 1)), State::kWait) << i;
  }
  EXPECT_EQ(Feed(query.substr(query.size() - 1)), State::kReady);
  EXPECT_EQ(request_, query);
}

// Rule 36: a batch goes to one server as a whole.
TEST_F(Request, BatchWaitsForItsSync) {
  EXPECT_EQ(Feed(kParse), State::kWait);
  EXPECT_EQ(Feed(kParse), State::kWait);
  EXPECT_EQ(Feed(kSync), State::kReady);
  EXPECT_EQ(request_, kParse + kParse + kSync);
}

// Rule 31: a Flush wants what there is.
TEST_F(Request, FlushSendsTheBatchAsFarAsItIs) {
  EXPECT_EQ(Feed(kParse + Typed('H', "")), State::kReady);
}

TEST_F(Request, LongOneIsNotGathered) {
  const std::string head = Query(std::string(100'000, 'x')).substr(0, 50'000);
  EXPECT_EQ(Feed(head), State::kReady);
  EXPECT_EQ(request_, head);
}

TEST_F(Request, LoneSyncIsAnsweredWithoutAServer) {
  EXPECT_EQ(Feed(kSync), State::kWait);
  EXPECT_EQ(Answer(), kIdle);
}

// Rule 58: what was left of a COPY must not reach the next server.
TEST_F(Request, LateCopyMessagesAreDropped) {
  EXPECT_EQ(Feed(Typed('d', "late") + Typed('c', "") + Typed('f', std::string("x\0", 2))),
            State::kWait);
  EXPECT_EQ(Answer(), "");
  EXPECT_EQ(Feed(Typed('d', "late") + Query("select 1")), State::kReady);
  EXPECT_EQ(request_, Query("select 1"));
}

// Rules 28, 29
TEST_F(Request, TerminateEndsIt) { EXPECT_EQ(Feed(Typed('X', "")), State::kEnded); }

// Rules 16, 22
TEST_F(Request, NonsenseIsAViolation) {
  EXPECT_EQ(Feed(Typed('p', "password")), State::kViolation);
  EXPECT_EQ(SqlStateOf(reader_->violation()), "08P01");
}
TEST_F(Request, LengthThatCannotBeIsAViolation) {
  EXPECT_EQ(Feed(std::string("Q\0\0\0\3", 5)), State::kViolation);
}

// Rules 33, 38: each Query its error and ReadyForQuery, a batch one error, and silence to its Sync.
TEST_F(Request, RejectAnswersAsAServerWould) {
  const std::string all =
      Query("select 1") + kParse + kParse + Query("skipped") + kSync + Query("x");
  ASSERT_EQ(Feed(all), State::kReady);
  worker_.Do([&] { reader_->Reject(wire::AsBytes(request_), Error("53300", "no")); });
  std::string types;
  const std::string answer = Answer();
  for (size_t i = 0; i + 5 <= answer.size();) {
    types += answer[i];
    i += 1 + static_cast<unsigned char>(answer[i + 3]) * 256u +
         static_cast<unsigned char>(answer[i + 4]);
  }
  EXPECT_EQ(types, "EZEZEZ");
}

TEST_F(Request, RejectedBatchIsSkippedToASyncThatComesLater) {
  ASSERT_EQ(Feed(kParse + Typed('H', "")), State::kReady);
  worker_.Do([&] { reader_->Reject(wire::AsBytes(request_), Error("53300", "no")); });
  EXPECT_EQ(Answer()[0], 'E');
  EXPECT_EQ(Feed(kParse + Query("skipped")), State::kWait);
  EXPECT_EQ(Answer(), "");
  EXPECT_EQ(Feed(kSync), State::kWait);
  EXPECT_EQ(Answer(), kIdle);
  EXPECT_EQ(Feed(Query("select 1")), State::kReady);
}

// --- one by one ---

class OneByOne : public Request {
 protected:
  OneByOne() {
    worker_.Do([&] { reader_->ReadOneByOne(); });
  }
  // The next request of what has come already.
  State Next() {
    State state = State::kWait;
    worker_.Do([&] {
      wire::Bytes request;
      state = reader_->Poll(request);
      request_ = wire::AsText(request);
    });
    return state;
  }
};

TEST_F(OneByOne, GivesOneRequestAfterTheOther) {
  EXPECT_EQ(Feed(Query("select 1") + kParse + kSync + Query("select 2")), State::kReady);
  EXPECT_EQ(request_, Query("select 1"));
  EXPECT_EQ(Next(), State::kReady);
  EXPECT_EQ(request_, kParse + kSync);
  EXPECT_EQ(Next(), State::kReady);
  EXPECT_EQ(request_, Query("select 2"));
  EXPECT_EQ(Next(), State::kWait);
}

TEST_F(OneByOne, WaitsForTheRestOfABatch) {
  EXPECT_EQ(Feed(kParse), State::kWait);
  EXPECT_EQ(Feed(Query("select 1").substr(0, 4)), State::kWait);
  EXPECT_EQ(Feed(Query("select 1").substr(4) + kSync), State::kReady);
  EXPECT_EQ(request_, kParse + Query("select 1"));
}

TEST_F(OneByOne, GivesALongBatchInWholeMessages) {
  std::string batch;
  while (batch.size() <= RequestReader::kMaxMessage) batch += kParse;
  EXPECT_EQ(Feed(batch + kParse.substr(0, 3)), State::kReady);
  EXPECT_EQ(request_, batch);
  EXPECT_EQ(Next(), State::kWait);
  EXPECT_EQ(Feed(kParse.substr(3) + kSync), State::kReady);
  EXPECT_EQ(request_, kParse + kSync);
}

TEST_F(OneByOne, LeavesToTheServerWhatBelongsToItsBatch) {
  const std::string data = Typed('d', "row");
  worker_.Do([&] { reader_->set_standing({.batch_open = true}); });
  EXPECT_EQ(Feed(data + kSync), State::kReady);
  EXPECT_EQ(request_, data + kSync);
  worker_.Do([&] { reader_->set_standing({wire::TransactionStatus::kInTransaction}); });
  EXPECT_EQ(Feed(data + kSync), State::kWait);
  EXPECT_EQ(Answer(), Typed('Z', "T"));
}

}  // namespace
}  // namespace pgweir::proxy
