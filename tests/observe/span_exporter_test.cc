#include "observe/span_exporter.h"

#include <gmock/gmock.h>

#include <deque>

#include "observe/statement_spans.h"
#include "tests/observe/record_fixture.h"
#include "tests/support/otlp_request.h"
#include "tests/support/wait_until.h"

namespace pgweir::observe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// With a collector that answers as it is told: 200 when it isn't.
class Exporter : public testing::Test {
 protected:
  Exporter() { options_.otlp = {"collector", 4318, "/v1/traces"}; }

  SpanExporter::Post Post() {
    return [this](const config::HttpUrl& url, const std::string& body,
                  const std::function<bool()>& over) {
      const std::lock_guard lock(mutex_);
      hosts_.push_back(url.host);
      bodies_.push_back(body);
      while (hangs_ && !over()) std::this_thread::sleep_for(milliseconds(5));
      if (hangs_) return SpanExporter::Answer{0, "no answer"};
      unsigned status = 200;
      if (!answers_.empty()) {
        status = answers_.front();
        answers_.pop_front();
      }
      return SpanExporter::Answer{status, "it can't be reached"};
    };
  }
  static void Stop(SpanExporter& exporter) {
    EXPECT_TRUE(exporter.Stop(Clock::now() + seconds(20)));
  }
  // The spans of all requests together, or of one.
  size_t SpansSent() {
    const std::lock_guard lock(mutex_);
    size_t spans = 0;
    for (const std::string& body : bodies_) spans += test::ReadOtlpRequest(body).spans.size();
    return spans;
  }

  config::Traces options_;
  const std::string statement_{StatementSpans().Write(ExampleStatement().record)};  // four spans
  std::mutex mutex_;
  std::vector<std::string> hosts_, bodies_;
  std::deque<unsigned> answers_;
  std::atomic<bool> hangs_ = false;
};

TEST_F(Exporter, SendsWhatIsQueuedInOneRequest) {
  SpanExporter exporter(options_, "1.2\"3", Post());
  exporter.Submit(statement_);
  exporter.Submit(statement_);
  Stop(exporter);
  ASSERT_EQ(bodies_.size(), 1u);
  const test::OtlpRequest request = test::ReadOtlpRequest(bodies_[0]);
  EXPECT_EQ(request.spans.size(), 8u);
  EXPECT_EQ(request.spans[4].trace, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(request.resource.at("service.name"), "pgweir");
  EXPECT_EQ(request.resource.at("service.version"), "1.2\"3");
  EXPECT_EQ(exporter.counters().exported, 8u);
}

TEST_F(Exporter, SendsSoManyAtOnce) {
  SpanExporter exporter(options_, "1", Post());
  for (int i = 0; i < 1000; ++i) exporter.Submit(statement_);
  Stop(exporter);
  EXPECT_EQ(SpansSent(), 4000u);
  for (const std::string& body : bodies_) {
    EXPECT_LE(test::ReadOtlpRequest(body).spans.size(), SpanExporter::kMostAtOnce);
  }
  EXPECT_EQ(exporter.counters().exported, 4000u);
}

TEST_F(Exporter, SendsWithinASecond) {
  SpanExporter exporter(options_, "1", Post());
  exporter.Submit(statement_);
  EXPECT_TRUE(test::WaitUntil([&] { return exporter.counters().exported == 4; }, seconds(3)));
}

TEST_F(Exporter, TriesAgainWhatMayPass) {
  answers_ = {503, 0, 429};
  SpanExporter exporter(options_, "1", Post());
  exporter.Submit(statement_);
  EXPECT_TRUE(test::WaitUntil([&] { return exporter.counters().exported == 4; }));
  EXPECT_EQ(bodies_.size(), 4u);
  EXPECT_EQ(exporter.counters().failed, 0u);
}

TEST_F(Exporter, GivesUpInTheEnd) {
  answers_ = {0, 0, 0, 0};
  SpanExporter exporter(options_, "1", Post());
  exporter.Submit(statement_);
  EXPECT_TRUE(test::WaitUntil([&] { return exporter.counters().failed == 4; }));
  EXPECT_EQ(bodies_.size(), 4u);
}

TEST_F(Exporter, DoesNotRepeatWhatIsRefused) {
  answers_ = {400};
  SpanExporter exporter(options_, "1", Post());
  exporter.Submit(statement_);
  EXPECT_TRUE(test::WaitUntil([&] { return exporter.counters().failed == 4; }));
  EXPECT_EQ(bodies_.size(), 1u);
}

TEST_F(Exporter, DropsWhatTheQueueCannotHold) {
  options_.max_queue_bytes = 64 << 10;
  hangs_ = true;
  SpanExporter exporter(options_, "1", Post());
  const TimePoint began = Clock::now();
  for (int i = 0; i < 1000; ++i) exporter.Submit(statement_);
  EXPECT_LT(Clock::now() - began, seconds(4));  // less than one answer is waited for
  EXPECT_GT(exporter.counters().dropped, 3000u);
  hangs_ = false;
  Stop(exporter);
  const auto counters = exporter.counters();
  EXPECT_EQ(counters.exported + counters.dropped + counters.failed, 4000u);
}

TEST_F(Exporter, IsNotHeldAtTheEnd) {
  hangs_ = true;
  SpanExporter exporter(options_, "1", Post());
  for (int i = 0; i < 1000; ++i) exporter.Submit(statement_);
  const TimePoint began = Clock::now();
  EXPECT_TRUE(exporter.Stop(began + seconds(1)));
  EXPECT_LT(Clock::now() - began, seconds(2));
  EXPECT_EQ(exporter.counters().failed, 4000u);
}

TEST_F(Exporter, GoesOnElsewhereAfterAReload) {
  SpanExporter exporter(options_, "1", Post());
  exporter.Submit(statement_);
  EXPECT_TRUE(test::WaitUntil([&] { return exporter.counters().exported == 4; }));
  options_.otlp->host = "other";
  options_.service_name = "market";
  exporter.Configure(options_);
  exporter.Submit(statement_);
  EXPECT_TRUE(test::WaitUntil([&] { return exporter.counters().exported == 8; }));
  options_.otlp.reset();
  exporter.Configure(options_);
  exporter.Submit(statement_);
  Stop(exporter);
  EXPECT_THAT(hosts_, testing::ElementsAre("collector", "other"));
  EXPECT_EQ(test::ReadOtlpRequest(bodies_[1]).resource.at("service.name"), "market");
  EXPECT_EQ(exporter.counters().dropped, 4u);
}

}  // namespace
}  // namespace pgweir::observe
