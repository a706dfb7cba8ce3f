#include "observe/statement_spans.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/observe/record_fixture.h"
#include "tests/support/otlp_request.h"

namespace pgweir::observe {
namespace {

using test::OtlpSpan;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::Pair;

class Spans : public testing::Test {
 protected:
  std::vector<OtlpSpan> Write() {
    lines_ = spans_.Write(record_);
    EXPECT_EQ(lines_.back(), '\n');
    std::vector<OtlpSpan> spans;
    for (std::string_view left = lines_; !left.empty();) {
      const std::string line(left.substr(0, left.find('\n')));
      spans.push_back(test::ReadOtlpSpan(line));
      left.remove_prefix(line.size() + 1);
    }
    return spans;
  }
  static std::vector<std::string> Names(const std::vector<OtlpSpan>& spans) {
    std::vector<std::string> names;
    for (const OtlpSpan& span : spans) names.push_back(span.name);
    return names;
  }

  ExampleStatement example_;
  StatementRecord& record_ = example_.record;
  StatementSpans spans_;
  std::string lines_;
};

TEST_F(Spans, AStatementIsBelowTheClientsSpan) {
  const OtlpSpan span = Write()[0];
  EXPECT_EQ(span.trace, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(span.parent, "b7ad6b7169203331");
  EXPECT_THAT(span.id, MatchesRegex("[0-9a-f]{16}"));
  EXPECT_EQ(span.name, "select $1");
  EXPECT_EQ(span.kind, 2);
  EXPECT_EQ(span.status, 0);
  EXPECT_EQ(span.end, 1788256800123'000'000u);
  EXPECT_EQ(span.micros(), 1234567u);
  EXPECT_THAT(span.attributes,
              ElementsAre(Pair("client.address", "10.0.0.5"), Pair("db.namespace", "shop"),
                          Pair("db.operation.name", "SELECT"), Pair("db.query.text", "select $1"),
                          Pair("db.system.name", "postgresql"), Pair("pgweir.cache", "miss"),
                          Pair("pgweir.digest", "00000000000000ab"), Pair("pgweir.rows", "5"),
                          Pair("pgweir.shards", "db_shard_3"), Pair("user.name", "alice")));
}

TEST_F(Spans, PartsThatTookTimeAreBelowTheStatement) {
  record_.times = {.total_us = 1500,
                   .route_us = 1,
                   .wait_us = 900,
                   .sync_us = 20,
                   .ahead_us = 300,
                   .backend_us = 200,
                   .transfer_us = 79};
  const std::vector<OtlpSpan> spans = Write();
  ASSERT_THAT(Names(spans), ElementsAre("select $1", "queue", "server", "transfer"));
  const uint64_t began = spans[0].begin;
  const uint64_t at[] = {0, 1, 1221, 1421}, took[] = {1500, 900, 200, 79};
  const int64_t kinds[] = {2, 1, 3, 1};
  std::set<std::string> ids;
  for (size_t i = 0; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i].begin, began + at[i] * 1000) << i;
    EXPECT_EQ(spans[i].micros(), took[i]) << i;
    EXPECT_EQ(spans[i].kind, kinds[i]) << i;
    EXPECT_EQ(spans[i].trace, spans[0].trace) << i;
    if (i > 0) EXPECT_EQ(spans[i].parent, spans[0].id) << i;
    ids.insert(spans[i].id);
  }
  EXPECT_EQ(ids.size(), spans.size());
  EXPECT_EQ(spans[3].end, spans[0].end);
}

TEST_F(Spans, PartsThatTookNoneAreLeftOut) {
  record_.times = {.total_us = 10, .backend_us = 10};
  EXPECT_THAT(Names(Write()), ElementsAre("select $1", "server"));
}

TEST_F(Spans, AnAnswerFromTheCacheWasNoServers) {
  record_.cache = CacheOutcome::kStale;
  record_.times = {.total_us = 12, .route_us = 2, .backend_us = 4, .transfer_us = 6};
  const std::vector<OtlpSpan> spans = Write();
  ASSERT_THAT(Names(spans), ElementsAre("select $1", "cache", "transfer"));
  EXPECT_EQ(spans[1].begin, spans[0].begin);
  EXPECT_EQ(spans[1].micros(), 6u);
  EXPECT_EQ(spans[0].attributes.at("pgweir.cache"), "stale");
  // However fast.
  record_.times = {};
  EXPECT_THAT(Names(Write()), ElementsAre("select $1", "cache"));
}

TEST_F(Spans, WithoutAClientsEachIsATraceOfItsOwn) {
  record_.traceparent = "";
  std::set<std::string> traces;
  StatementSpans others;
  for (int i = 0; i < 1000; ++i) {
    for (StatementSpans* const spans : {&spans_, &others}) {
      const std::string line(spans->Write(record_));
      const size_t at = line.find("\"traceId\":\"") + 11;
      traces.insert(line.substr(at, 32));
      EXPECT_THAT(traces, testing::Contains(MatchesRegex("[0-9a-f]{32}")));
    }
  }
  EXPECT_EQ(traces.size(), 2000u);
  EXPECT_EQ(Write()[0].parent, "");
}

TEST_F(Spans, AnErrorIsItsSqlstate) {
  record_.sqlstate = "23505";
  record_.error = "Key (name)=(hunter2) already exists";
  record_.tag = "";
  const OtlpSpan span = Write()[0];
  EXPECT_EQ(span.status, 2);
  EXPECT_EQ(span.attributes.at("db.response.status_code"), "23505");
  EXPECT_EQ(span.attributes.at("error.type"), "23505");
  EXPECT_FALSE(span.attributes.contains("db.operation.name"));
  EXPECT_THAT(lines_, Not(HasSubstr("hunter2")));
}

TEST_F(Spans, NoValueLeaves) {
  const StatementParameter parameters[] = {{false, false, 25, "hunter2"}};
  record_.parameters = parameters;
  record_.text = "SELECT 'hunter2'";
  Write();
  EXPECT_THAT(lines_, Not(HasSubstr("hunter2")));
}

TEST_F(Spans, WhatMayHoldASecretHasNoText) {
  record_.text = "ALTER ROLE a PASSWORD 'hunter2'";
  record_.digest_text = "alter role a password hunter2";  // as if it had been taken for none
  record_.tag = "ALTER ROLE";
  OtlpSpan span = Write()[0];
  EXPECT_EQ(span.name, "ALTER");
  EXPECT_FALSE(span.attributes.contains("db.query.text"));
  EXPECT_THAT(lines_, Not(HasSubstr("hunter2")));
  record_.tag = "";
  EXPECT_EQ(Write()[0].name, "statement");
}

TEST_F(Spans, NastyTextComesBackAsItWas) {
  const std::string nasty = "select \"a\\\"}]},\n\t\x01 INFO: \xc3\xa4 </script> \"},";
  for (std::string_view* const text :
       {&record_.digest_text, &example_.client.user, &example_.client.database,
        &example_.client.address, &example_.nodes[0]}) {
    *text = nasty;
  }
  record_.nodes = example_.nodes;
  const std::vector<OtlpSpan> spans = Write();
  EXPECT_EQ(spans.size(), 4u);
  EXPECT_EQ(spans[0].name, nasty);
  for (const char* key :
       {"db.query.text", "user.name", "db.namespace", "client.address", "pgweir.shards"}) {
    EXPECT_EQ(spans[0].attributes.at(key), nasty) << key;
  }
  EXPECT_EQ(spans[1].attributes.at("db.namespace"), nasty);
  record_.digest_text = "select \xff";
  EXPECT_EQ(Write()[0].name, "select \xef\xbf\xbd");
}

TEST_F(Spans, LongTextsAreCutBetweenCharacters) {
  std::string text;
  while (text.size() < 5000) text += "\xc3\xa4";
  record_.digest_text = text;
  record_.text = "x";
  const OtlpSpan span = Write()[0];
  EXPECT_EQ(span.name, text.substr(0, StatementSpans::kMaxName) + "...");
  EXPECT_EQ(span.attributes.at("db.query.text"), text.substr(0, StatementSpans::kMaxText) + "...");
}

TEST_F(Spans, SeveralNodesAreAList) {
  example_.nodes = {"a", "b"};
  record_.nodes = example_.nodes;
  EXPECT_EQ(Write()[0].attributes.at("pgweir.shards"), "a,b");
  record_.nodes = {};
  EXPECT_FALSE(Write()[0].attributes.contains("pgweir.shards"));
}

TEST(Sampled, IsTheLowestBitOfTheFlags) {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-";
  for (const char* flags : {"01", "03", "ff", "0b"}) EXPECT_TRUE(IsSampled(trace + flags)) << flags;
  for (const char* flags : {"00", "02", "fe", "0a"}) {
    EXPECT_FALSE(IsSampled(trace + flags)) << flags;
  }
  EXPECT_FALSE(IsSampled(""));
}

}  // namespace
}  // namespace pgweir::observe
