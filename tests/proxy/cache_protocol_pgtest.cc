// The query cache: the protocol around an answer. Of the situations in which a cached answer would
// be wrong, 46 to 62; others of them by the parts that see to them: 55 in answer_capture_test, 61
// in query-cache/key_test and store_test.
//
// Situation 64 has no test: what is kept are rows, so neither a version of the protocol nor its
// options could be part of them, and there is no compression.

#include <chrono>
#include <thread>

#include "fmt/format.h"
#include "tests/support/cached_test.h"
#include "tests/support/gate.h"
#include "tests/support/turns.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kRead = "select n from counter";

// generate_series has variants that are only stable.
constexpr std::string_view kStable =
    "[[cache.rules]]\npattern = \".\"\nallow_stable = true\nttl = \"60s\"\n";

constexpr std::string_view kSchema = R"(
create function noisy() returns int language plpgsql immutable
  as $$ begin raise notice 'noise'; return 1; end $$;
create function turns() returns int language plpgsql immutable
  as $$ begin perform set_config('DateStyle', 'German', false); return 1; end $$;
create table numbers (k int, v text); insert into numbers values (1, 'one'), (2, 'two'), (3, '');
create table zero (z int); insert into zero values (0);
)";

class CacheProtocol : public CachedTest {
 protected:
  static void SetUpTestSuite() { Begin(kSchema, kStable); }
  static RawClient Raw() { return RawClient::Login(port()); }
  // Every byte of an answer.
  static std::string Bytes(RawClient& client, std::string_view request) {
    client.Send(request);
    std::string bytes;
    for (const Message& message : client.ReadUntilReady()) {
      bytes += message.type + fe::Int32(static_cast<uint32_t>(message.body.size())) + message.body;
    }
    return bytes;
  }
  static bool RepeatsRaw(RawClient& client, std::string_view request) {
    return Repeats([&] { return Ask(client, request); });
  }
};

// Whatever comes from the cache is what the server says, byte by byte.
TEST_F(CacheProtocol, AnswersAreThoseOfTheServer) {
  RawClient client = Raw(), direct = RawClient::Login(server().port());
  const std::string requests[] = {
      fe::Query("select k, v from numbers order by k"),
      fe::Query("select k, v from numbers where k > 5"),
      fe::Query("select from numbers"),
      fe::Query("values (1, null::text, '')"),
      fe::Extended("select k, v from numbers order by k") + fe::Sync(),
      fe::Extended("select v from numbers where k = $1", {"2"}) + fe::Sync(),
      fe::Parse("", "select k, v from numbers order by k") + fe::Bind("", "") + fe::Execute("") +
          fe::Sync(),
      fe::Parse("", "select k from numbers where v = $1", {25}) +
          fe::BindFormats("", "", {1}, {"two"}, {1}) + fe::Describe('P', "") + fe::Execute("") +
          fe::Sync(),
  };
  for (const std::string& request : requests) {
    const std::string expected = Bytes(direct, request);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Bytes(client, request), expected);
  }
  const int64_t hits = Shown("hits");
  for (const std::string& request : requests) Bytes(client, request);
  EXPECT_EQ(Shown("hits") - hits, static_cast<int64_t>(std::size(requests)));
}

// Likewise what arrives, or is sent, in pieces.
TEST_F(CacheProtocol, AnswersDoNotDependOnHowTheyAreAskedFor) {
  RawClient client = Raw();
  const std::string request =
      fe::Extended("select v from numbers where k = $1", {"1"}) + fe::Sync();
  const std::string expected = Ask(client, request);
  for (int i = 0; i < 2; ++i) {
    client.SendSlowly(request);
    EXPECT_EQ(Line(client.ReadUntilReady()), expected);
  }
  client.Send(request + request + fe::Query(kRead) + request);
  EXPECT_EQ(Line(client.ReadUntilReady()), expected);
  EXPECT_EQ(Line(client.ReadUntilReady()), expected);
  client.ReadUntilReady();
  EXPECT_EQ(Line(client.ReadUntilReady()), expected);
}

// Situation 46.
TEST_F(CacheProtocol, FormatsTypesAndValuesDivideAnswers) {
  RawClient client = Raw(), direct = RawClient::Login(server().port());
  const std::string_view sql = "select k, v, $1 from numbers where k < 3 order by k";
  using Values = std::vector<std::optional<std::string>>;
  const std::string requests[] = {
      fe::Parse("", sql, {25}) + fe::BindFormats("", "", {}, Values{"1"}, {}),
      fe::Parse("", sql, {25}) + fe::BindFormats("", "", {}, Values{"1"}, {0}),
      fe::Parse("", sql, {25}) + fe::BindFormats("", "", {}, Values{"1"}, {1}),
      fe::Parse("", sql, {25}) + fe::BindFormats("", "", {}, Values{"1"}, {1, 0, 0}),
      fe::Parse("", sql, {25}) + fe::BindFormats("", "", {}, Values{"1"}, {0, 1, 0}),
      fe::Parse("", sql, {23}) + fe::BindFormats("", "", {}, Values{"1"}, {1}),
      fe::Parse("", sql, {23}) + fe::BindFormats("", "", {1}, Values{fe::Int32(1)}, {1}),
      fe::Parse("", sql, {20}) + fe::BindFormats("", "", {}, Values{"1"}, {1}),
      fe::Parse("", sql) + fe::BindFormats("", "", {}, Values{"1"}, {}),
      fe::Parse("", sql, {25}) + fe::BindFormats("", "", {}, Values{""}, {}),
      fe::Parse("", sql, {25}) + fe::BindFormats("", "", {}, Values{std::nullopt}, {}),
      fe::Parse("", sql, {25}) + fe::BindFormats("", "", {}, Values{"12"}, {}),
  };
  for (int i = 0; i < 2; ++i) {
    for (const std::string& request : requests) {
      const std::string whole = request + fe::Describe('P', "") + fe::Execute("") + fe::Sync();
      EXPECT_EQ(Bytes(client, whole), Bytes(direct, whole));
    }
  }
}

// Situation 47.
TEST_F(CacheProtocol, SimpleAndExtendedQuestionsAreTwo) {
  RawClient client = Raw();
  const std::string simple = Simple(client, kRead);
  Count();
  const std::string extended = Batch(client, fe::Extended(kRead));
  EXPECT_EQ(extended, fmt::format("1 2 T D({}) C(SELECT 1) ZI", Counter()));
  EXPECT_EQ(Simple(client, kRead), simple);
  EXPECT_TRUE(RepeatsRaw(client, fe::Extended(kRead) + fe::Sync()));
}

// Situation 48.
TEST_F(CacheProtocol, DescriptionsAreGivenToWhoAsksForThem) {
  RawClient client = Raw(), other = Raw();
  const std::string parse = fe::Parse("p", "select v from numbers where k = $1", {23});
  for (RawClient* each : {&client, &other}) {
    EXPECT_EQ(Batch(*each, parse + fe::Describe('S', "p")), "1 t T ZI");
  }
  const std::string bind = fe::Bind("", "p", {"2"});
  for (int i = 0; i < 2; ++i) {
    for (RawClient* each : {&client, &other}) {
      EXPECT_EQ(Batch(*each, bind + fe::Execute("")), "2 D(two) C(SELECT 1) ZI");
      EXPECT_EQ(Batch(*each, bind + fe::Describe('P', "") + fe::Execute("")),
                "2 T D(two) C(SELECT 1) ZI");
      EXPECT_EQ(Batch(*each, fe::Describe('S', "p")), "t T ZI");
      EXPECT_EQ(Batch(*each, bind + fe::Describe('P', "")), "2 T ZI");
    }
  }
  // Formats: a statement's description has none, a portal's has those of its Bind.
  const auto format_of = [&](std::string_view request) {
    client.Send(std::string(request) + fe::Sync());
    const std::vector<Message> answer = client.ReadUntilReady();
    return static_cast<int>(Find(answer, 'T')->body.back());
  };
  const std::string binary =
      fe::BindFormats("", "p", {}, {"2"}, {1}) + fe::Describe('P', "") + fe::Execute("");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(format_of(binary), 1);
    EXPECT_EQ(format_of(fe::Describe('S', "p")), 0);
  }
}

// Situation 49.
TEST_F(CacheProtocol, PipelinesAreAnsweredInTheirOrder) {
  RawClient client = Raw();
  const std::string cached = Batch(client, fe::Extended(kRead));
  EXPECT_EQ(Batch(client, fe::Extended(kRead)), cached);
  client.Send(fe::Query("select 1, pg_sleep(0.2)") + fe::Extended(kRead) + fe::Sync() +
              fe::Query("select 1/0") + fe::Extended(kRead) + fe::Sync() +
              fe::Extended("select 1/0") + fe::Extended(kRead) + fe::Sync() + fe::Extended(kRead) +
              fe::Sync());
  EXPECT_EQ(Line(client.ReadUntilReady()), "T D(1,) C(SELECT 1) ZI");
  EXPECT_EQ(Line(client.ReadUntilReady()), cached);
  EXPECT_EQ(Line(client.ReadUntilReady()), "E(22012) ZI");
  EXPECT_EQ(Line(client.ReadUntilReady()), cached);
  const std::string failed = Line(client.ReadUntilReady());
  EXPECT_EQ(failed.find("D("), std::string::npos) << failed << ": the rest up to Sync is skipped";
  EXPECT_EQ(Line(client.ReadUntilReady()), cached);
}

// Situation 49: an error that is skipped to in the next write.
TEST_F(CacheProtocol, NothingIsServedBeforeTheSyncThatEndsAnError) {
  RawClient client = Raw();
  const std::string cached = Batch(client, fe::Extended(kRead));
  client.Send(fe::Extended("select 1/0") + fe::Flush());
  client.ReadUntil('E');
  client.Send(fe::Extended(kRead));
  EXPECT_TRUE(client.Silent(200));
  EXPECT_EQ(Ask(client, fe::Sync()), "ZI");
  EXPECT_EQ(Batch(client, fe::Extended(kRead)), cached);
}

// Situation 50.
TEST_F(CacheProtocol, PortalsThatAreReadInPiecesAreNotCached) {
  RawClient client = Raw();
  const std::string open = fe::Parse("", "select k from numbers order by k") + fe::Bind("", "");
  Batch(client, open + fe::Execute(""));
  EXPECT_EQ(Batch(client, open + fe::Execute("")), "1 2 D(1) D(2) D(3) C(SELECT 3) ZI");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Batch(client, open + fe::Execute("", 2)), "1 2 D(1) D(2) s ZI");
    EXPECT_EQ(Batch(client, open + fe::Execute("", 2) + fe::Execute("", 2)),
              "1 2 D(1) D(2) s D(3) C(SELECT 1) ZI");
    EXPECT_EQ(Batch(client, open + fe::Execute("") + fe::Execute("")),
              "1 2 D(1) D(2) D(3) C(SELECT 3) C(SELECT 0) ZI");
    EXPECT_EQ(Batch(client, open + fe::Execute("") + fe::Close('P', "")),
              "1 2 D(1) D(2) D(3) C(SELECT 3) 3 ZI");
    EXPECT_EQ(Batch(client, fe::Parse("", "select k from numbers order by k") +
                                fe::Bind("named", "") + fe::Execute("named")),
              "1 2 D(1) D(2) D(3) C(SELECT 3) ZI");
  }
  // The portal of a batch that has been answered is gone with its transaction.
  Batch(client, open + fe::Execute(""));
  EXPECT_EQ(Batch(client, fe::Execute("")), "E(34000) ZI");
}

// Situation 51: what was answered for no backend has to be there later all the same.
TEST_F(CacheProtocol, StatementsAreThereAfterAHit) {
  RawClient filler = Raw(), client = Raw();
  const std::string parse = fe::Parse("p", "select v from numbers where k = $1", {23});
  const auto run = [](std::string_view name, std::string_view value) {
    return fe::Bind("", name, {std::string(value)}) + fe::Execute("");
  };
  Batch(filler, parse);
  Batch(filler, run("p", "1"));
  EXPECT_EQ(Batch(client, parse), "1 ZI");
  EXPECT_EQ(Batch(client, run("p", "1")), "2 D(one) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(client, run("p", "2")), "2 D(two) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(client, parse), "E(42P05) ZI");
  EXPECT_EQ(Simple(client, "begin"), "C(BEGIN) ZT");
  EXPECT_EQ(Batch(client, run("p", "1")), "2 D(one) C(SELECT 1) ZT");
  EXPECT_EQ(Simple(client, "commit"), "C(COMMIT) ZI");
  EXPECT_EQ(Batch(client, fe::Close('S', "p")), "3 ZI");
  EXPECT_EQ(Batch(client, run("p", "1")), "E(26000) ZI");
}

// Situation 51, of the unnamed one.
TEST_F(CacheProtocol, TheUnnamedStatementIsThereAfterAHit) {
  RawClient client = Raw();
  const std::string one = fe::Parse("", "select v from numbers where k = $1", {23});
  const auto run = [](std::string_view value) {
    return fe::Bind("", "", {std::string(value)}) + fe::Execute("");
  };
  Batch(client, one + run("1"));
  EXPECT_EQ(Batch(client, fe::Parse("", "select 'other', $1::int")), "1 ZI");
  EXPECT_EQ(Batch(client, one + run("1")), "1 2 D(one) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(client, run("2")), "2 D(two) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(client, run("1")), "2 D(one) C(SELECT 1) ZI");
  EXPECT_EQ(Batch(client, fe::Describe('S', "")), "t T ZI");
  // A Query takes it away, also one that no server has seen.
  Simple(client, kRead);
  Batch(client, one + run("1"));
  Simple(client, kRead);
  EXPECT_EQ(Batch(client, run("1")), "E(26000) ZI");
}

// Situation 52.
TEST_F(CacheProtocol, ReadyForQuerySaysHowTheClientStands) {
  RawClient client = Raw();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Simple(client, kRead).ends_with("ZI"));
  Simple(client, "begin");
  EXPECT_TRUE(Simple(client, kRead).ends_with("ZT"));
  Simple(client, "select 1/0");
  EXPECT_EQ(Simple(client, kRead), "E(25P02) ZE");
  Simple(client, "rollback");
  EXPECT_TRUE(Simple(client, kRead).ends_with("ZI"));
}

// Situation 53.
TEST_F(CacheProtocol, NoticesAreGivenToAllWhoAsk) {
  RawClient client = Raw(), quiet = Raw();
  const std::string_view sql = "select noisy(), n from counter";
  quiet.Query("set client_min_messages = 'error'");
  quiet.Query(sql);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(Types(client.Query(sql)).find('N'), std::string::npos) << i;
  }
  EXPECT_EQ(Types(quiet.Query(sql)), "TDCZ");
}

// Situation 54.
TEST_F(CacheProtocol, SettingsThatAFunctionChangesAreNotMissed) {
  RawClient client = Raw();
  for (int i = 0; i < 2; ++i) {
    const std::vector<Message> answer = client.Query("select turns() from counter");
    EXPECT_NE(Find(answer, 'S'), nullptr) << i;
    client.Query("set datestyle = 'ISO'");
  }
}

// Situation 56.
TEST_F(CacheProtocol, ErrorsAreNotStored) {
  RawClient client = Raw();
  EXPECT_EQ(Simple(client, "select 1/z from zero").substr(0, 10), "T E(22012)");
  Behind("update zero set z = 1");
  EXPECT_EQ(Simple(client, "select 1/z from zero"), "T D(1) C(SELECT 1) ZI");
  Behind("update zero set z = 0");
  EXPECT_EQ(Simple(client, "select 1/z from zero"), "T D(1) C(SELECT 1) ZI") << "now it is";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Simple(client, ""), "I ZI");
    EXPECT_EQ(Batch(client, fe::Extended("")), "1 2 n I ZI");
    EXPECT_EQ(Simple(client, "select missing from counter"), "E(42703) ZI");
    EXPECT_EQ(Simple(client, "copy zero to stdout").substr(0, 3), "H d");
  }
}

// Situation 57: its answer was to be kept.
TEST_F(CacheProtocol, WhoLeavesInTheMiddleHarmsNobody) {
  const std::string slow = "select count(*), sum(n) from counter, generate_series(1, 300000)";
  for (int i = 0; i < 3; ++i) {
    {
      RawClient leaving = Raw();
      leaving.Send(fe::Query(slow));
      std::this_thread::sleep_for(milliseconds(20));
      leaving.Reset();
    }
    RawClient client = Raw();
    EXPECT_EQ(Types(client.Query(slow)), "TDCZ");
    EXPECT_EQ(Columns(*Find(client.Query(slow), 'D'))[0], "300000");
    Console("cache flush");
  }
}

// Situation 57: a reader that takes nothing holds up nobody but itself.
TEST_F(CacheProtocol, SlowReadersHoldUpNobody) {
  const auto process =
      Start(Options(kStable, "max_entry_bytes = \"64MiB\"", "size = 5\nwait_timeout = \"500ms\""));
  ASSERT_TRUE(WaitKnown(*process));
  const std::string large = "select repeat('x', 1000), n from counter, generate_series(1, 30000)";
  RawClient stuck = RawClient::Login(process->port());
  stuck.Send(fe::Query(large));
  std::this_thread::sleep_for(milliseconds(300));
  const Connection client(process->Conninfo());
  EXPECT_EQ(client.Exec(large).rows(), 30000);
  EXPECT_EQ(stuck.ReadUntilReady().size(), 30003u);
}

// Situation 60.
TEST_F(CacheProtocol, LongAnswersPassAndAreCounted) {
  const auto process = Start(Options(kStable, "max_entry_bytes = \"20KiB\""));
  ASSERT_TRUE(WaitKnown(*process));
  const Connection client(process->Conninfo());
  const std::string fits = "select repeat('x', 1000), n from counter, generate_series(1, 10)";
  const std::string large = "select repeat('x', 1000), n from counter, generate_series(1, 100)";
  const std::string one = "select repeat('x', 100000) || n from counter";
  EXPECT_TRUE(Repeats(client, fits));
  const int64_t before = Shown("too_large", *process), bytes = Shown("bytes", *process);
  EXPECT_FALSE(Repeats(client, large));
  EXPECT_FALSE(Repeats(client, one));
  EXPECT_EQ(client.Exec(large).rows(), 100);
  EXPECT_GT(Shown("too_large", *process), before);
  EXPECT_LT(Shown("bytes", *process) - bytes, 20'000);
}

// Situation 62: however long the answer took.
TEST_F(CacheProtocol, AgeCountsFromWhenTheQueryWasSent) {
  Gate gate(server().port());
  PgweirOptions options = Options("[[cache.rules]]\npattern = \".\"\nttl = \"1s\"\n");
  options.databases += DatabaseToml("gated", gate.port(), "dbname=postgres sslmode=disable");
  const auto process = Start(options);
  ASSERT_TRUE(WaitKnown(*process, "gated"));
  const Connection client(process->Conninfo("postgres", "gated"));
  client.Value("select 1");
  gate.Arm({.side = Side::kToClient, .type = 'D', .after = false, .cut = Cut::kFreeze});
  client.Send(kRead);
  ASSERT_TRUE(gate.WaitFired());
  std::this_thread::sleep_for(milliseconds(1100));
  Count();
  gate.Freeze(false);
  while (client.Next().has_value()) continue;
  EXPECT_EQ(client.Value(kRead), Counter());
}

}  // namespace
}  // namespace pgweir::test
