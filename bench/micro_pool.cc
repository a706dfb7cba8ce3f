// What a pool costs a request: taking a backend and giving it back, on one worker's thread. Needs a
// server: PGWEIR_BENCH_CONNINFO is a libpq connection string.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <future>

#include "net/task.h"
#include "pooler/pool.h"

namespace pgweir::pooler {
namespace {

// A worker and a pool whose backends it holds, ready to be taken.
class Fixture {
 public:
  explicit Fixture(const std::string& conninfo) : connector_(4), canceller_(1, 10) {
    workers_.push_back(std::make_unique<net::Worker>(0));
    workers_[0]->Start("bench");
    config::Pool limits;
    limits.size = limits.min_size = 4;
    Target target;
    target.connection_string = conninfo;
    pool_ = Pool::Make("bench", target, limits, Pool::Caps{},
                       PoolServices{connector_, canceller_, workers_});
    pool_->Maintain(Clock::now());
    for (int i = 0; i < 1000 && pool_->counts().idle < limits.size; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  ~Fixture() {
    pool_->Close();
    workers_[0]->Stop();
    workers_[0]->Join();
  }

  // Runs `function` on the worker.
  void Do(absl::AnyInvocable<void()> function) {
    std::promise<void> done;
    workers_[0]->Post([&] {
      function();
      done.set_value();
    });
    done.get_future().get();
  }

  net::Worker& worker() { return *workers_[0]; }
  Pool& pool() { return *pool_; }

 private:
  std::vector<std::unique_ptr<net::Worker>> workers_;
  Connector connector_;
  Canceller canceller_;
  std::shared_ptr<Pool> pool_;
};

void AcquireAndReturn(benchmark::State& state) {
  const char* conninfo = std::getenv("PGWEIR_BENCH_CONNINFO");
  if (conninfo == nullptr) return state.SkipWithError("PGWEIR_BENCH_CONNINFO is not set");
  Fixture fixture(conninfo);
  if (fixture.pool().counts().idle == 0) return state.SkipWithError("the server gave no backend");
  fixture.Do([&] {
    net::Event event(fixture.worker());
    for (auto _ : state) {
      Lease lease = fixture.pool().TryAcquire(event);
      benchmark::DoNotOptimize(&*lease);
      lease.Return();
    }
  });
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(AcquireAndReturn);

}  // namespace
}  // namespace pgweir::pooler

BENCHMARK_MAIN();
