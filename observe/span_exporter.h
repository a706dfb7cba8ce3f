#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "config/config.h"
#include "observe/line_queue.h"

namespace pgweir::observe {

// Takes spans from all workers and sends them to a collector by OTLP/HTTP, on a thread of its own
// and many at once. A collector that is slow, full or gone costs spans, which are counted, and
// nothing else: Submit only copies. Thread-safe.
class SpanExporter {
 public:
  static constexpr size_t kMostAtOnce = 512;  // spans in a request

  struct Counters {
    uint64_t exported = 0;  // spans that the collector has taken
    uint64_t dropped = 0;   // that found the queue full
    uint64_t failed = 0;    // that the collector did not take
  };
  // What came of a request.
  struct Answer {
    unsigned status = 0;  // HTTP's; 0 = there was no answer
    std::string fault;    // why not
  };
  // Posts a JSON body, blocking until there is an answer or `over` becomes true. It is called on
  // the exporter's thread.
  using Post = std::function<Answer(const config::HttpUrl& url, const std::string& body,
                                    const std::function<bool()>& over)>;

  // `version`: of pgweir, for the collector. Without a URL nothing is sent until Configure() gives
  // one.
  SpanExporter(const config::Traces& options, std::string version, Post post);

  // Whether what was queued has been sent, or lost, by the deadline. Nothing is taken any more.
  bool Stop(TimePoint deadline);

  // Spans of a statement, as StatementSpans writes them.
  void Submit(std::string_view spans);
  void Configure(const config::Traces& options);

  Counters counters() const;

 private:
  void Export(std::string_view spans);
  void Send(std::string_view spans);
  void Lose(uint64_t spans, const std::string& why);

  const std::string version_;
  const Post post_;
  std::atomic<TimePoint> give_up_at_{kNoDeadline};
  mutable Mutex mutex_;
  config::Traces options_ ABSL_GUARDED_BY(mutex_);
  Counters counters_ ABSL_GUARDED_BY(mutex_);

  // The queue's thread's alone:
  std::string body_;
  uint64_t lost_ = 0;  // spans, since that was logged
  TimePoint logged_at_{};

  LineQueue queue_;  // sends what is queued at the end, so that it is the first to go
};

}  // namespace pgweir::observe
