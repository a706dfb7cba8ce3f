#include "proxy/unattended_read.h"

#include "proxy/backend_command.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

constexpr std::chrono::seconds kPatience{5};
// Idle backends of clients with other settings, or dead ones, are passed over.
constexpr int kMostTries = 3;

class Reader {
 public:
  Reader(net::Worker& worker, UnattendedRead read)
      : worker_(worker), event_(worker), read_(std::move(read)) {}

  net::Task<AnswerCapture> Run() {
    event_.SetDeadline(Clock::now() + kPatience);
    AnswerCapture whole = co_await Ask(read_.parts.front());
    for (size_t i = 1; i < read_.parts.size() && whole.complete(); ++i) {
      whole.Join(co_await Ask(read_.parts[i]));
    }
    co_return whole;
  }

 private:
  net::Task<AnswerCapture> Ask(const UnattendedRead::Part& part) {
    AnswerCapture capture;
    if (!co_await TakeBackend(*part.pool)) co_return capture;
    const std::string settings = wire::SettingsChange(*lease_->parameters, *read_.parameters);
    if (!settings.empty()) {
      BackendCommand set(lease_, worker_, settings);
      if (!co_await Finish(set) || !set.error().ok()) co_return capture;
      lease_->custom_settings = read_.parameters->custom_settings();
      lease_->parameters = read_.parameters;
    }
    capture.Begin(read_.max_bytes);
    BackendCommand ask(lease_, worker_, wire::AsBytes(part.request), capture);
    const bool done = co_await Finish(ask);
    done && lease_->tracker.idle() ? lease_.Return(Clock::now()) : lease_.Discard();
    co_return capture;
  }

  net::Task<bool> TakeBackend(pooler::Pool& pool) {
    for (int tries = 0; tries < kMostTries; ++tries) {
      lease_ = pool.TryAcquire(event_, read_.parameters->custom_settings());
      if (!lease_ && !co_await AwaitBackend(pool)) co_return false;
      const bool suits = lease_->custom_settings == 0 ||
                         lease_->custom_settings == read_.parameters->custom_settings();
      if (suits && pooler::DrainUnasked(*lease_, worker_.scratch())) co_return true;
      lease_.Discard();
    }
    co_return false;
  }

  net::Task<bool> AwaitBackend(pooler::Pool& pool) {
    pooler::Pool::Waiting waiting(pool, event_);
    while (!event_.expired()) {
      auto granted = waiting.Poll();
      if (!granted.ok()) co_return false;
      if (*granted) {
        lease_ = *std::move(granted);
        co_return true;
      }
      co_await event_.Wait();
    }
    co_return false;
  }

  // One that takes too long is closed with its backend.
  net::Task<bool> Finish(BackendCommand& command) {
    while (!event_.expired()) {
      const BackendCommand::State state = command.Pump();
      if (state != BackendCommand::State::kWait) {
        co_return state == BackendCommand::State::kDone;
      }
      co_await event_.Wait();
    }
    co_return false;
  }

  net::Worker& worker_;
  net::Event event_;
  const UnattendedRead read_;
  pooler::Lease lease_;
};

}  // namespace

net::Task<AnswerCapture> ReadUnattended(net::Worker& worker, UnattendedRead read) {
  Reader reader(worker, std::move(read));
  co_return co_await reader.Run();
}

std::string UnnamedBatch(std::string_view text, std::string_view types, std::string_view bind) {
  std::string batch;
  wire::AppendParse(batch, "", text, types);
  wire::AppendBindHead(batch, "", "", static_cast<uint32_t>(bind.size()));
  batch.append(bind);
  wire::AppendDescribe(batch, 'P', "");
  wire::AppendExecute(batch, "");
  wire::AppendSync(batch);
  return batch;
}

}  // namespace pgweir::proxy
