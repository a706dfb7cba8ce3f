// Pipelines as drivers send them, by libpq's pipeline mode and by hand.

#include <poll.h>

#include "tests/support/proxy_test.h"

namespace pgweir::test {
namespace {

class Pipeline : public BothWays {};

// Fails in Execute; 1/0 does while Bind plans it.
constexpr std::string_view kFailsLate = "select 1 / (n - n) from generate_series(1, 1) n";

void SendStatement(const Connection& connection, const std::string& sql) {
  ASSERT_EQ(
      PQsendQueryParams(connection.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0), 1)
      << connection.error();
}

// One letter a result: r rows, c command, e error, a aborted, s sync. A null result ends each
// statement but a sync.
std::string ReadPipeline(const Connection& connection, int syncs) {
  std::string seen;
  while (syncs > 0) {
    std::optional<Result> result = connection.Next();
    if (!result) continue;
    switch (result->status()) {
      case PGRES_TUPLES_OK:
        seen += 'r';
        break;
      case PGRES_COMMAND_OK:
        seen += 'c';
        break;
      case PGRES_PIPELINE_ABORTED:
        seen += 'a';
        break;
      case PGRES_PIPELINE_SYNC:
        seen += 's';
        --syncs;
        break;
      default:
        seen += 'e';
        if (PQstatus(connection.get()) == CONNECTION_BAD) return seen + " lost";
    }
  }
  return seen;
}

TEST_P(Pipeline, AnswersStatementsInOrder) {
  Connection connection(Conninfo());
  PQenterPipelineMode(connection.get());
  for (int i = 0; i < 50; ++i) SendStatement(connection, "select " + std::to_string(i));
  PQpipelineSync(connection.get());
  for (int i = 0; i < 50; ++i) {
    std::optional<Result> result = connection.Next();
    ASSERT_TRUE(result && result->ok()) << connection.error();
    EXPECT_EQ(result->Value(), std::to_string(i));
    EXPECT_FALSE(connection.Next());
  }
  EXPECT_EQ(connection.Next()->status(), PGRES_PIPELINE_SYNC);
}

// Rules 33 and 35: an error skips up to its own Sync; the next segment runs.
TEST_P(Pipeline, ErrorCostsItsOwnSegmentOnly) {
  Connection connection(Conninfo());
  PQenterPipelineMode(connection.get());
  for (const char* sql : {"select 1", "select 1/0", "select 2"}) SendStatement(connection, sql);
  PQpipelineSync(connection.get());
  SendStatement(connection, "select 3");
  PQpipelineSync(connection.get());
  EXPECT_EQ(ReadPipeline(connection, 2), "reasrs");
  EXPECT_EQ(PQexitPipelineMode(connection.get()), 1);
  EXPECT_EQ(connection.Value("select 9"), "9");
}

// Rule 33: messages of a failed batch that are still to come are skipped too.
TEST_P(Pipeline, SkipsWhatComesAfterAnErrorWasSeen) {
  RawClient client = RawClient::Login(port());
  client.Send(fe::Extended("select 1/0") + fe::Flush());
  EXPECT_EQ(Types(client.ReadUntil('E')), "1E");
  client.Send(fe::Extended("select 1"));
  EXPECT_TRUE(client.Silent(100));
  client.Send(fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "Z");
  EXPECT_EQ(Types(client.Query("select 1")), "TDCZ");
}

// Rule 36: what stands between two Syncs is one transaction, undone by an error.
TEST_P(Pipeline, IsOneTransactionUpToItsSync) {
  server().Query("drop table if exists implicit; create table implicit (n int)");
  Connection connection(Conninfo());
  PQenterPipelineMode(connection.get());
  for (const char* sql : {"insert into implicit values (1)", "select 1/0"}) {
    SendStatement(connection, sql);
  }
  PQpipelineSync(connection.get());
  EXPECT_EQ(ReadPipeline(connection, 1), "ces");
  EXPECT_EQ(server().Query("select count(*) from implicit"), "0");
  SendStatement(connection, "insert into implicit values (2)");
  SendStatement(connection, "insert into implicit values (3)");
  PQpipelineSync(connection.get());
  EXPECT_EQ(ReadPipeline(connection, 1), "ccs");
  EXPECT_EQ(server().Query("select sum(n) from implicit"), "5");
}

// Rule 35
TEST_P(Pipeline, AnswersEachOfSeveralSyncs) {
  RawClient client = RawClient::Login(port());
  client.Send(fe::Sync() + fe::Sync() + fe::Extended("select 1") + fe::Sync() +
              fe::Extended(kFailsLate) + fe::Sync() + fe::Query("select 2"));
  EXPECT_EQ(Types(client.ReadUntilReady()), "Z");
  EXPECT_EQ(Types(client.ReadUntilReady()), "Z");
  EXPECT_EQ(Types(client.ReadUntilReady()), "12TDCZ");
  EXPECT_EQ(Types(client.ReadUntilReady()), "12TEZ");
  EXPECT_EQ(Types(client.ReadUntilReady()), "TDCZ");
}

// Rule 38: a Query within a batch has a ReadyForQuery of its own; in a failed batch it is skipped.
TEST_P(Pipeline, TakesAQueryWithinABatch) {
  RawClient client = RawClient::Login(port());
  client.Send(fe::Extended("select 1") + fe::Query("select 2") + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "12TDCTDCZ");
  EXPECT_EQ(Types(client.ReadUntilReady()), "Z");

  client.Send(fe::Extended("select 1/0") + fe::Query("select 2") + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "1EZ");
  EXPECT_EQ(Types(client.Query("select 3")), "TDCZ");
}

// Rules 38 and 54
TEST_P(Pipeline, SkipsAFunctionCallInAFailedBatch) {
  RawClient client = RawClient::Login(port());
  std::string call =
      fe::Typed('F', fe::Int32(177) + fe::Int16(1) + fe::Int16(1) + fe::Int16(2) + fe::Int32(4) +
                         fe::Int32(40) + fe::Int32(4) + fe::Int32(2) + fe::Int16(1));
  client.Send(call);
  EXPECT_EQ(Types(client.ReadUntilReady()), "VZ");
  client.Send(fe::Extended("select 1/0") + call + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "1EZ");
  client.Send(fe::Parse("", "select 1") + call + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "1VZ");
  EXPECT_EQ(Types(client.ReadUntilReady()), "Z");
}

// Rule 31: Flush brings what is pending and no ReadyForQuery.
TEST_P(Pipeline, FlushPushesPendingAnswers) {
  RawClient client = RawClient::Login(port());
  client.Send(fe::Parse("", "select 1") + fe::Flush());
  EXPECT_EQ(client.Read().type, '1');
  client.Send(fe::Bind("", "") + fe::Describe('P', "") + fe::Flush());
  EXPECT_EQ(client.Read().type, '2');
  EXPECT_EQ(client.Read().type, 'T');
  EXPECT_TRUE(client.Silent(100));
  client.Send(fe::Execute("") + fe::Flush());
  EXPECT_EQ(client.Read().type, 'D');
  EXPECT_EQ(client.Read().type, 'C');
  client.Send(fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "Z");
  client.Send(fe::Flush());
  EXPECT_TRUE(client.Silent(100));
  EXPECT_EQ(Types(client.Query("select 1")), "TDCZ");
}

// Rule 52
TEST_P(Pipeline, SuspendsAPortalAtItsRowLimit) {
  RawClient client = RawClient::Login(port());
  client.Send(fe::Parse("", "select generate_series(1, 5)") + fe::Bind("", "") +
              fe::Execute("", 2) + fe::Execute("", 2) + fe::Flush());
  EXPECT_EQ(Types(client.ReadUntil('s')), "12DDs");
  EXPECT_EQ(Types(client.ReadUntil('s')), "DDs");
  client.Send(fe::Execute("", 2) + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "DCZ");
}

// Rule 53: two messages for a statement, one for a portal; NoData for what returns nothing.
TEST_P(Pipeline, DescribesStatementsAndPortals) {
  RawClient client = RawClient::Login(port());
  client.Send(fe::Parse("", "select $1::int") + fe::Describe('S', "") + fe::Bind("", "", {"1"}) +
              fe::Describe('P', "") + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "1tT2TZ");
  client.Send(fe::Parse("", "set enable_sort = on") + fe::Describe('S', "") + fe::Bind("", "") +
              fe::Describe('P', "") + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "1tn2nZ");
}

// Rule 40, in the extended protocol.
TEST_P(Pipeline, AnswersAnEmptyStatement) {
  RawClient client = RawClient::Login(port());
  client.Send(fe::Extended("-- nothing") + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "12nIZ");
}

TEST_P(Pipeline, ClosesStatementsAndPortalsThatAreNotThere) {
  RawClient client = RawClient::Login(port());
  client.Send(fe::Close('S', "nobody") + fe::Close('P', "nobody") + fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "33Z");
}

// Rules 21 and 31: nothing depends on how bytes fall into reads.
TEST_P(Pipeline, TakesOneByteAtATime) {
  RawClient client = RawClient::Login(port());
  client.SendSlowly(fe::Query("select 'slow'") + fe::Extended("select $1::text", {"slow"}) +
                    fe::Sync());
  EXPECT_EQ(Types(client.ReadUntilReady()), "TDCZ");
  EXPECT_EQ(Types(client.ReadUntilReady()), "12TDCZ");
}

// Rule 25: a client that writes much before it reads comes to no deadlock once it reads.
TEST_P(Pipeline, LongOneIsReadLate) {
  RawClient client = RawClient::Login(port());
  // More than the sockets of two hops take in.
  constexpr int kStatements = 10000;
  std::string one = fe::Extended("select $1::text || $1::text", {std::string(5000, 'p')});
  std::string all;
  for (int i = 0; i < kStatements; ++i) all += one;
  all += fe::Sync();
  std::string_view left = all;
  std::vector<Message> answers;
  bool reading = false;
  while (!left.empty()) {
    size_t sent = client.SendSome(left);
    left.remove_prefix(sent);
    if (sent > 0) continue;
    // Nothing more goes: only now is anything read.
    pollfd writable{.fd = client.fd(), .events = POLLOUT, .revents = 0};
    reading = reading || ::poll(&writable, 1, 300) == 0;
    if (reading) answers.push_back(client.Read());
  }
  EXPECT_TRUE(reading);
  while (answers.empty() || answers.back().type != 'Z') answers.push_back(client.Read());
  ASSERT_EQ(answers.size(), size_t{kStatements} * 5 + 1);
  int rows = 0;
  for (const Message& answer : answers) rows += answer.type == 'D' && answer.body.size() == 10006;
  EXPECT_EQ(rows, kStatements);
}

PGWEIR_BOTH_WAYS(Pipeline);

}  // namespace
}  // namespace pgweir::test
