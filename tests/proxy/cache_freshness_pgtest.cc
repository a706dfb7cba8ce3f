// The query cache: how old an answer may be, many who ask at once, shadow and verify, the console.
// Of the situations in which a cached answer would be wrong, 58, 59 and 63.

#include <chrono>
#include <thread>
#include <tuple>
#include <vector>

#include "fmt/format.h"
#include "tests/support/cached_test.h"
#include "tests/support/temp_folder.h"
#include "tests/support/turns.h"
#include "tests/support/wait_until.h"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Each table has the lifetimes that its rule says.
constexpr std::string_view kRules = R"(
[[cache.rules]]
tables = ["brief"]
ttl = "300ms"
[[cache.rules]]
tables = ["empty_not"]
ttl = "60s"
empty_ttl = "0s"
[[cache.rules]]
tables = ["empty_brief"]
ttl = "60s"
empty_ttl = "300ms"
[[cache.rules]]
tables = ["revalidated"]
ttl = "100ms"
stale_while_revalidate = "60s"
[[cache.rules]]
tables = ["robust"]
ttl = "100ms"
stale_if_error = "60s"
[[cache.rules]]
tables = ["shadowed"]
ttl = "60s"
mode = "shadow"
[[cache.rules]]
tables = ["verified"]
ttl = "60s"
verify = 1.0
[[cache.rules]]
tables = ["strict"]
ttl = "60s"
verify = 1.0
verify_disables = true
[[cache.rules]]
tables = ["slow"]
ttl = "60s"
allow_stable = true
[[cache.rules]]
tables = ["never"]
mode = "off"
[[cache.rules]]
pattern = "from counter"
ttl = "60s"
)";

constexpr std::string_view kSchema = R"(
create table brief (n int); insert into brief values (0);
create table empty_not (n int); create table empty_brief (n int);
create table revalidated (n int); insert into revalidated values (0);
create table robust (n int); insert into robust values (0);
create table shadowed (n int); insert into shadowed values (0);
create table verified (n int); insert into verified values (0);
create table strict (n int); insert into strict values (0);
create table slow (n int); insert into slow values (0);
create table never (n int); insert into never values (0);
create table plain (n int); insert into plain values (0);
create schema other; create table other.plain (n int); insert into other.plain values (0);
grant select on all tables in schema public to alice;
)";

// One that takes a while: about half a second.
constexpr std::string_view kSlow = "select count(*), max(n) from slow, generate_series(1, 3000000)";
constexpr std::string_view kMark = ": select count(*), max(n) from slow";  // in the server's log

class CacheFreshness : public CachedTest {
 protected:
  static void SetUpTestSuite() {
    PostgresOptions options;
    options.settings = {"log_statement = all"};
    Begin(kSchema, kRules, options);
  }
  void SetUp() override {
    CachedTest::SetUp();
    client_ = std::make_unique<Connection>(pgweir().Conninfo());
  }

  std::string Value(std::string_view table) const {
    return client_->Value(fmt::format("select n from {}", table));
  }
  int Rows(std::string_view table) const {
    return client_->Exec(fmt::format("select n from {}", table)).rows();
  }
  static void Rise(std::string_view table) {
    Behind(fmt::format("update {} set n = n + 1", table));
  }
  // How often the server has logged that it carried out kSlow.
  static int64_t Asked() {
    const std::string log = server().log();
    int64_t count = 0;
    for (size_t at = 0; (at = log.find(kMark, at)) != std::string::npos; ++at) ++count;
    return count;
  }
  static std::string RuleCell(int rule, const char* column) {
    const Result rules = Console("show cache_rules");
    return rules.Value(rule - 1, PQfnumber(rules.get(), column));
  }

  std::unique_ptr<Connection> client_;
};

TEST_F(CacheFreshness, AnswersAreServedForTheirTtl) {
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(Value("brief"), "0");
  Rise("brief");
  const std::string second = Value("brief");
  if (std::chrono::steady_clock::now() - begun < milliseconds(270)) {
    EXPECT_EQ(second, "0");
  }
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(Value("brief"), "1");
}

// A rule's change counts for what is there already.
TEST_F(CacheFreshness, TheRuleAsItNowStandsDecides) {
  PgweirOptions options = Options("[[cache.rules]]\ntables = [\"counter\"]\nttl = \"60s\"\n");
  const auto process = Start(options);
  ASSERT_TRUE(WaitKnown(*process));
  const Connection client(process->Conninfo());
  const std::string first = client.Value("select n from counter");
  Count();
  EXPECT_EQ(client.Value("select n from counter"), first);
  std::this_thread::sleep_for(milliseconds(10));
  options = Options("[[cache.rules]]\ntables = [\"counter\"]\nttl = \"1ms\"\n");
  options.port = process->port();
  process->Rewrite(options);
  ASSERT_TRUE(process->Reload());
  EXPECT_TRUE(WaitUntil([&] { return client.Value("select n from counter") == Counter(); }));
  EXPECT_NE(first, Counter());
}

// Situation 63.
TEST_F(CacheFreshness, EmptyAnswersHaveTheirOwnTtl) {
  EXPECT_EQ(Rows("empty_not"), 0);
  EXPECT_EQ(Rows("empty_brief"), 0);
  Behind("insert into empty_not values (1); insert into empty_brief values (1)");
  EXPECT_EQ(Rows("empty_not"), 1);
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(Rows("empty_brief"), 1);
  Behind("delete from empty_not; delete from empty_brief");
  EXPECT_EQ(Rows("empty_not"), 1) << "this one isn't empty";
  EXPECT_EQ(Rows("empty_brief"), 1);
}

TEST_F(CacheFreshness, StaleAnswersAreGivenWhileNewOnesAreFetched) {
  const std::string first = Value("revalidated");
  Rise("revalidated");
  std::this_thread::sleep_for(milliseconds(150));
  const int64_t stale = Shown("stale_served");
  EXPECT_EQ(Value("revalidated"), first);
  EXPECT_EQ(Shown("stale_served"), stale + 1);
  EXPECT_TRUE(WaitUntil([&] { return Value("revalidated") != first; }));
}

TEST_F(CacheFreshness, StaleAnswersAreRefreshedWithTheirOwnRole) {
  const Connection alice = Client("alice");
  const std::string_view read = "select n, current_user from revalidated";
  EXPECT_EQ(alice.Exec(read).Value(0, 1), "alice");
  for (int i = 0; i < 5; ++i) {
    Rise("revalidated");
    std::this_thread::sleep_for(milliseconds(120));
    EXPECT_EQ(alice.Exec(read).Value(0, 1), "alice");
    EXPECT_EQ(client_->Exec(read).Value(0, 1), "postgres");
    const std::string now = server().Query("select n from revalidated");
    EXPECT_TRUE(WaitUntil([&] { return alice.Value(read) == now; }));
  }
}

TEST_F(CacheFreshness, StaleAnswersThatAWriteHasOutdatedAreNotGiven) {
  const std::string first = Value("revalidated");
  std::this_thread::sleep_for(milliseconds(150));
  EXPECT_TRUE(client_->Exec("update revalidated set n = n + 1").ok());
  EXPECT_NE(Value("revalidated"), first);
}

TEST_F(CacheFreshness, OldAnswersAreGivenWhenNoServerCanBeReached) {
  const auto process = Start(Options(kRules, "", "size = 5\nwait_timeout = \"300ms\""));
  ASSERT_TRUE(WaitKnown(*process));
  client_ = std::make_unique<Connection>(process->Conninfo());
  const std::string robust = Value("robust");
  const std::string brief = Value("brief");
  const std::string counter = Value("counter");
  std::this_thread::sleep_for(milliseconds(350));
  server().Stop(StopMode::kImmediate);
  EXPECT_TRUE(WaitUntil([&] { return !client_->Exec("select n from brief").ok(); }, seconds(5)));
  EXPECT_EQ(Value("robust"), robust);
  EXPECT_EQ(Value("robust"), robust);
  EXPECT_EQ(Value("counter"), counter) << "it is fresh";
  const Result expired = client_->Exec("select n from brief");
  EXPECT_FALSE(expired.ok()) << "no rule allows that";
  const Result unseen = client_->Exec("select n + 1 from robust");
  EXPECT_FALSE(unseen.ok());
  server().Start();
  Rise("robust");
  EXPECT_TRUE(WaitUntil([&] { return client_->Exec("select n from brief").ok(); }));
  EXPECT_TRUE(WaitUntil([&] {
    return client_->Exec("select n from robust").Value() == std::to_string(std::stoi(robust) + 1);
  }));
}

TEST_F(CacheFreshness, OldAnswersAreNotGivenForErrorsOfTheStatement) {
  EXPECT_EQ(Rows("robust"), 1);
  std::this_thread::sleep_for(milliseconds(150));
  Behind("alter table robust rename column n to m");
  EXPECT_EQ(client_->Exec("select n from robust").sqlstate(), "42703");
  Behind("alter table robust rename column m to n");
  const Connection alice = Client("alice");
  EXPECT_TRUE(alice.Exec("select n from robust").ok());
  std::this_thread::sleep_for(milliseconds(150));
  Behind("revoke select on robust from alice");
  EXPECT_EQ(alice.Exec("select n from robust").sqlstate(), "42501");
  Behind("grant select on robust to alice");
}

TEST_F(CacheFreshness, OfManyWhoAskTheSameOneAsksTheServer) {
  for (const bool extended : {false, true}) {
    const int64_t asked = Asked();
    const int64_t coalesced = Shown("coalesced");
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        const Connection client = Client();
        const Result result = extended ? client.ExecParams(kSlow, {}) : client.Exec(kSlow);
        EXPECT_EQ(result.Value(), "3000000") << result.message();
      });
    }
    for (std::thread& thread : threads) thread.join();
    // Who came in its time waited, who came later found it.
    EXPECT_EQ(Asked() - asked, 1);
    EXPECT_GT(Shown("coalesced"), coalesced);
  }
}

// Begins a read, and waits until the server is at it.
void Lead(RawClient& client, const PostgresServer& server) {
  client.Send(fe::Query(kSlow));
  EXPECT_TRUE(WaitUntil([&] {
    return server.Query(
               "select count(*) from pg_stat_activity where state = 'active' and query "
               "like 'select count(*), max(n) from slow%'") == "1";
  }));
}

// Situation 58.
TEST_F(CacheFreshness, AWaiterIsCancelledAlone) {
  RawClient leader = RawClient::Login(port());
  Lead(leader, server());
  const Connection waiter = Client(), other = Client();
  waiter.Send(kSlow);
  other.Send(kSlow);
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(waiter.Cancel(), "");
  EXPECT_EQ(waiter.Next()->sqlstate(), "57014");
  while (waiter.Next().has_value()) continue;
  EXPECT_EQ(Types(leader.ReadUntilReady()), "TDCZ");
  EXPECT_EQ(other.Next()->Value(), "3000000");
  EXPECT_EQ(waiter.Value("select 1"), "1");
}

// Situations 57, 58 and 59: the leader is cancelled, times out, is gone; another leads.
TEST_F(CacheFreshness, WhatHappensToTheLeaderDoesNotHappenToItsWaiters) {
  for (const std::string_view how : {"cancelled", "late", "gone"}) {
    SCOPED_TRACE(how);
    Console("cache flush");
    RawClient leader = RawClient::Login(port());
    if (how == "late") leader.Query("set statement_timeout = '150ms'");
    Lead(leader, server());
    const Connection one = Client(), two = Client();
    one.Send(kSlow);
    two.Send(kSlow);
    std::this_thread::sleep_for(milliseconds(50));
    if (how == "cancelled") {
      RawClient canceller(port());
      canceller.Send(fe::CancelRequest(Find(leader.welcome(), 'K')->body));
      EXPECT_TRUE(canceller.ClosedByPeer());
    }
    if (how == "gone") leader.Reset();
    if (how != "gone") {
      EXPECT_EQ(Line(leader.ReadUntilReady()), "T E(57014) ZI");
    }
    EXPECT_EQ(one.Next()->Value(), "3000000");
    EXPECT_EQ(two.Next()->Value(), "3000000");
  }
}

TEST_F(CacheFreshness, ShadowRulesServeNothing) {
  const std::string first = Value("shadowed");
  const std::string hits = RuleCell(6, "hits");
  const int shadow = std::stoi(RuleCell(6, "shadow_hits"));
  Rise("shadowed");
  EXPECT_NE(Value("shadowed"), first);
  EXPECT_EQ(std::stoi(RuleCell(6, "shadow_hits")), shadow + 1);
  EXPECT_EQ(RuleCell(6, "hits"), hits);
  client_->Exec("update shadowed set n = n + 1");
  Value("shadowed");
  EXPECT_EQ(std::stoi(RuleCell(6, "shadow_hits")), shadow + 1) << "outdated";
}

TEST_F(CacheFreshness, VerifyFindsWhatWasChangedBehindPgweirsBack) {
  const std::string first = Value("verified");
  const int64_t verified = Shown("verified"), differences = Shown("differences");
  EXPECT_EQ(Value("verified"), first);
  EXPECT_TRUE(WaitUntil([&] { return Shown("verified") == verified + 1; }));
  EXPECT_EQ(Shown("differences"), differences);
  Rise("verified");
  const size_t from = pgweir().log().size();
  EXPECT_EQ(Value("verified"), first);
  EXPECT_TRUE(WaitUntil([&] { return Shown("differences") == differences + 1; }));
  EXPECT_TRUE(pgweir().WaitLog("cached answer differs", seconds(5), from));
  EXPECT_TRUE(WaitUntil([&] { return Value("verified") != first; })) << "what differs is dropped";
  EXPECT_EQ(RuleCell(7, "mode"), "on");
}

TEST_F(CacheFreshness, VerifyDisablesTheRuleAtADifference) {
  const std::string first = Value("strict");
  Rise("strict");
  Value("strict");
  EXPECT_TRUE(WaitUntil([&] { return RuleCell(8, "mode") == "off (differences)"; }));
  for (int i = 0; i < 2; ++i) {
    Rise("strict");
    EXPECT_EQ(Value("strict"), server().Query("select n from strict"));
  }
  EXPECT_TRUE(Repeats(*client_, "select n from counter")) << "other rules go on";
}

TEST_F(CacheFreshness, RulesThatAreOffAndStatementsWithoutOneAreNotCached) {
  const std::string never = Value("never"), plain = Value("plain");
  Rise("never");
  Rise("plain");
  EXPECT_NE(Value("never"), never);
  EXPECT_NE(Value("plain"), plain);
}

// What a statement or a session says of itself.
TEST_F(CacheFreshness, HintsAdmitAndRefuse) {
  const auto read = [&](std::string_view hint, std::string_view table = "plain") {
    return client_->Value(fmt::format("select n from {} {}", table, hint));
  };
  const std::string hint = "/* pgweir: cache=60s */";
  std::string first = read(hint);
  Rise("plain");
  EXPECT_EQ(read(hint), first);
  EXPECT_TRUE(Repeats(*client_, "select n from counter"));
  EXPECT_FALSE(Repeats(*client_, "select n from counter /* pgweir: cache=off */"));
  client_->Exec("set pgweir.cache = 'off'");
  EXPECT_FALSE(Repeats(*client_, "select n from counter"));
  client_->Exec("set pgweir.cache = '60s'");
  first = read("");
  Rise("plain");
  EXPECT_EQ(read(""), first);
  client_->Exec("update plain set n = n + 1");
  EXPECT_NE(read(""), first);
  client_->Exec("reset pgweir.cache");
  EXPECT_FALSE(Repeats([&] {
    Rise("plain");
    return read("");
  }));
}

TEST_F(CacheFreshness, TheConsoleFlushesWhatItIsTold) {
  const auto fill = [&] {
    Value("counter");
    Value("verified");
    client_->Value("select n from other.plain /* pgweir: cache=60s */");
    Rise("counter");
    Rise("other.plain");
  };
  const auto counter = [&] { return Value("counter") == Counter(); };
  const auto plain = [&] {
    return client_->Value("select n from other.plain /* pgweir: cache=60s */") ==
           server().Query("select n from other.plain");
  };
  const std::string explained = [&] {
    std::string text;
    const Result rows = Console("explain cache database postgres 'select n from counter'");
    for (int i = 0; i < rows.rows(); ++i) text += rows.Value(i) + '\n';
    return text;
  }();
  const size_t at = explained.find("digest: ");
  ASSERT_NE(at, std::string::npos) << explained;
  const std::string digest = explained.substr(at + 8, 16);

  fill();
  EXPECT_FALSE(counter());
  EXPECT_FALSE(plain());
  Console("cache flush");
  EXPECT_TRUE(counter());
  EXPECT_TRUE(plain());
  for (const auto& [command, flushes_counter, flushes_plain] :
       {std::tuple("cache flush table counter", true, false),
        std::tuple("cache flush table public.counter", true, false),
        std::tuple("cache flush table other.plain", false, true),
        std::tuple("cache flush table plain", false, false),
        std::tuple("cache flush database postgres", true, true),
        std::tuple("cache flush database twin", true, true),
        std::tuple("cache flush rule 11", true, false),
        std::tuple("cache flush rule 1", false, false)}) {
    Console("cache flush");
    fill();
    Console(command);
    EXPECT_EQ(counter(), flushes_counter) << command;
    EXPECT_EQ(plain(), flushes_plain) << command;
  }
  Console("cache flush");
  fill();
  Console("cache flush digest '" + digest + "'");
  EXPECT_TRUE(counter());
  EXPECT_FALSE(plain());
  const Connection console = Client("postgres", "pgweir");
  for (const char* wrong : {"cache flush rule 99", "cache flush database nosuch",
                            "cache flush digest 'xyz'", "cache flush nothing 1", "cache"}) {
    EXPECT_FALSE(console.Exec(wrong).ok()) << wrong;
  }
}

TEST_F(CacheFreshness, TheConsoleWarms) {
  const TempFolder folder("pgweir-warm");
  const std::string file = folder.path() + "/warm.sql";
  const auto warm = [&](std::string_view text, std::string_view more) {
    WriteFile(file, text);
    return Console(fmt::format("cache warm file '{}' database postgres {}", file, more));
  };
  const auto tag = [](const Result& result) { return std::string(PQcmdStatus(result.get())); };
  EXPECT_EQ(
      tag(warm("-- Of a dashboard.\n\n  select n from counter;\nselect n\nfrom verified", "")),
      "CACHE WARM 2");
  const std::string before = Counter();
  Count();
  EXPECT_EQ(Value("counter"), before) << "asked before";
  EXPECT_EQ(client_->ExecParams("select n from counter", {}).Value(), before);
  // Each role for itself.
  EXPECT_EQ(tag(warm("select n from counter", "user alice")), "CACHE WARM 1");
  const std::string of_alice = Counter();
  Count();
  EXPECT_EQ(Client("alice").Value("select n from counter"), of_alice);
  EXPECT_EQ(Client("bob").Value("select n from counter"), Counter());

  const Connection console = Client("postgres", "pgweir");
  const Result some = warm("select 1 / 0;\n\ndelete from counter; select n from counter", "");
  EXPECT_EQ(tag(some), "CACHE WARM 1");
  EXPECT_EQ(server().Query("select count(*) from counter"), "1");
  EXPECT_EQ(tag(warm(" -- nothing\n;;", "")), "CACHE WARM 0");
  EXPECT_EQ(tag(warm("select n from counter where n > 0 or n < 1;" + std::string(60'000, '\n') +
                         "select 2",
                     "")),
            "CACHE WARM 2");
  WriteFile(file, "select 1; select 'open");
  for (const std::string& wrong :
       {std::string("cache warm file '/nosuch'"), std::string("cache warm file 'a' extra"),
        fmt::format("cache warm file '{}' database nosuch", file),
        fmt::format("cache warm file '{}' database postgres user nosuch", file),
        fmt::format("cache warm file '{}' database pgweir", file),
        fmt::format("cache warm file '{}' database postgres", file)}) {
    EXPECT_FALSE(console.Exec(wrong).ok()) << wrong;
  }
}

TEST_F(CacheFreshness, TheConsoleExplains) {
  const auto explain = [&](std::string_view sql) {
    std::string text;
    const Result rows = Console(fmt::format("explain cache database postgres '{}'", sql));
    for (int i = 0; i < rows.rows(); ++i) text += rows.Value(i) + '\n';
    return text;
  };
  const auto says = [](const std::string& text, std::string_view what) {
    EXPECT_NE(text.find(what), std::string::npos) << what << " in " << text;
  };
  const std::string cached = explain("select n from revalidated");
  says(cached, "rule: 4");
  says(cached, "cached: yes");
  says(cached, "ttl: 100ms");
  says(cached, "stale_while_revalidate: 60000ms");
  says(cached, "depends on: public.revalidated");
  says(explain("select n from shadowed"), "shadow");
  says(explain("select n from never"), "switched off");
  says(explain("select n from plain"), "no rule is for it");
  says(explain("select random() from counter"), "not surely a read");
  says(explain("select now() from counter"), "asks for the time");
  says(explain("select n from nosuch"), "cached: no");
  says(explain("update counter set n = 1"), "cached: no");
  says(explain("selekt"), "cached: no");
}

TEST_F(CacheFreshness, TheConsoleCounts) {
  const int64_t hits = Shown("hits"), misses = Shown("misses"), stores = Shown("stores"),
                invalidations = Shown("invalidations");
  Value("counter");
  Value("counter");
  Value("counter");
  EXPECT_EQ(Shown("hits"), hits + 2);
  EXPECT_EQ(Shown("misses"), misses + 1);
  EXPECT_EQ(Shown("stores"), stores + 1);
  EXPECT_EQ(Shown("entries"), 1);
  client_->Exec("update counter set n = n + 1");
  Value("counter");
  EXPECT_EQ(Shown("invalidations"), invalidations + 1);
  const Result tables = Console("show cache_tables");
  bool is_there = false;
  for (int i = 0; i < tables.rows(); ++i) is_there |= tables.Value(i) == "public.counter";
  EXPECT_TRUE(is_there);
  EXPECT_GT(Console("show cache_digests").rows(), 0);
  EXPECT_EQ(Console("show cache rules").rows(), 11);
  EXPECT_EQ(RuleCell(1, "scope"), "tables brief");
  EXPECT_EQ(RuleCell(1, "ttl"), "300ms");
}

// Situation 58.
TEST_F(CacheFreshness, AWaiterHasItsOwnTimeOut) {
  RawClient leader = RawClient::Login(port());
  const Connection waiter = Client();
  waiter.Exec("set statement_timeout = '50ms'");
  Lead(leader, server());
  EXPECT_EQ(waiter.Exec(kSlow).sqlstate(), "57014");
  EXPECT_EQ(Types(leader.ReadUntilReady()), "TDCZ");
}

}  // namespace
}  // namespace pgweir::test
