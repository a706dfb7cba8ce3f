#include "proxy/unattended_backend.h"

#include <algorithm>

namespace pgweir::proxy {
namespace {

// Idle backends of clients with other settings, or dead ones, are passed over.
constexpr int kMostTries = 3;
// So often it is looked whether there is a spare one.
constexpr std::chrono::milliseconds kLook{50};

}  // namespace

bool UnattendedBackend::Suits() const {
  return lease_->custom_settings == 0 || lease_->custom_settings == settings_->custom_settings();
}

net::Task<bool> UnattendedBackend::Await(pooler::Pool& pool) {
  for (int tries = 0; tries < kMostTries; ++tries) {
    lease_ = pool.TryAcquire(event_, settings_->custom_settings());
    if (!lease_) {
      pooler::Pool::Waiting waiting(pool, event_);
      while (!lease_) {
        if (event_.expired()) co_return false;
        auto granted = waiting.Poll();
        if (!granted.ok()) co_return false;
        lease_ = *std::move(granted);
        if (!lease_) co_await event_.Wait();
      }
    }
    spoilt_ = false;
    if (Suits() && pooler::DrainUnasked(*lease_, worker_.scratch())) co_return true;
    lease_.Discard();
  }
  co_return false;
}

net::Task<bool> UnattendedBackend::AwaitSpare(pooler::Pool& pool, TimePoint until) {
  pool.OpenSpare();
  for (TimePoint now; (now = Clock::now()) < until;) {
    lease_ = pool.TryAcquireSpare(event_, settings_->custom_settings());
    if (lease_ && pooler::DrainUnasked(*lease_, worker_.scratch())) {
      if (Suits()) co_return true;
      lease_.Return();
    } else {
      lease_.Discard();
    }
    event_.SetDeadline(std::min(now + kLook, until));
    co_await event_.Wait();
  }
  co_return false;
}

net::Task<bool> UnattendedBackend::TakeSettings() {
  const std::string change = wire::SettingsChange(*lease_->parameters, *settings_);
  if (change.empty()) co_return true;
  spoilt_ = true;
  if (!co_await Run(change)) co_return false;
  spoilt_ = false;
  lease_->custom_settings = settings_->custom_settings();
  lease_->parameters = settings_;
  co_return true;
}

net::Task<bool> UnattendedBackend::Run(std::string sql) {
  BackendCommand command(lease_, worker_, sql);
  const bool done = co_await Finish(command);
  co_return done&& command.error().ok();
}

net::Task<bool> UnattendedBackend::Ask(std::string request, AnswerCapture& capture) {
  BackendCommand command(lease_, worker_, wire::AsBytes(request), capture);
  co_return co_await Finish(command);
}

// One that takes too long is closed with its backend.
net::Task<bool> UnattendedBackend::Finish(BackendCommand& command) {
  BackendCommand::State state;
  while ((state = command.Pump()) == BackendCommand::State::kWait && !event_.expired()) {
    co_await event_.Wait();
  }
  if (state != BackendCommand::State::kDone) spoilt_ = true;
  if (error_.ok()) error_ = command.error();
  co_return state == BackendCommand::State::kDone;
}

void UnattendedBackend::GiveBack() {
  spoilt_ || !lease_->tracker.idle() ? lease_.Discard() : lease_.Return(Clock::now());
}

}  // namespace pgweir::proxy
