// The shortest script that still shows a difference, by leaving out what isn't needed for it.

#include <algorithm>
#include <functional>

#include "tests/support/twin_runner.h"

namespace pgweir::test {
namespace {

// A session's steps may depend on its start-up parameters and on what the session before it left,
// so connections stay as long as anything is sent on them.
TwinScript WithoutIdleSessions(const TwinScript& script) {
  std::vector<bool> keep(script.size(), true);
  std::vector<bool> used(kTwinClients, false);
  for (size_t i = script.size(); i-- > 0;) {
    size_t client = script[i].client;
    if (script[i].action == TwinAction::kConnect) {
      keep[i] = used[client];
      used[client] = false;
    } else if (!script[i].messages.empty()) {
      used[client] = true;
    }
  }
  TwinScript kept;
  for (size_t i = 0; i < script.size(); ++i) {
    if (keep[i]) kept.push_back(script[i]);
  }
  return kept;
}

TwinScript Without(const TwinScript& script, size_t from, size_t count) {
  TwinScript rest;
  for (size_t i = 0; i < script.size(); ++i) {
    bool inside = i >= from && i < from + count;
    if (!inside || script[i].action == TwinAction::kConnect) rest.push_back(script[i]);
  }
  return WithoutIdleSessions(rest);
}

TwinScript WithoutClient(const TwinScript& script, size_t client) {
  TwinScript rest;
  for (const TwinStep& step : script) {
    if (step.client != client) rest.push_back(step);
  }
  return rest;
}

// Tries smaller scripts and keeps those that still differ, until the time is over.
class Shrinker {
 public:
  using Differs = std::function<bool(const TwinScript&)>;
  Shrinker(TwinScript script, Differs differs, std::chrono::seconds at_most)
      : script_(std::move(script)),
        differs_(std::move(differs)),
        deadline_(std::chrono::steady_clock::now() + at_most) {}

  TwinScript Take() {
    // What doesn't depend on the moment is found again each time.
    TwinScript apart = script_;
    for (TwinStep& step : apart) step.with_next = false;
    Try(std::move(apart));
    for (size_t i = 0; i < kTwinClients; ++i) Try(WithoutClient(script_, i));
    Steps();
    Messages();
    StartupParameters();
    Apart();
    Steps();
    return script_;
  }

 private:
  bool Try(TwinScript smaller) {
    if (std::chrono::steady_clock::now() > deadline_ || smaller.empty() ||
        smaller.size() > script_.size()) {
      return false;
    }
    if (!differs_(smaller)) return false;
    script_ = std::move(smaller);
    return true;
  }

  void Steps() {
    for (size_t count = std::max<size_t>(script_.size() / 2, 1); count > 0; count /= 2) {
      for (size_t from = script_.size(); from > 0;) {
        from = from > count ? from - count : 0;
        TwinScript smaller = Without(script_, from, count);
        if (smaller.size() < script_.size()) Try(std::move(smaller));
        from = std::min(from, script_.size());
      }
    }
  }

  void Messages() {
    for (size_t i = 0; i < script_.size(); ++i) {
      if (script_[i].whole) continue;
      // The answer's end is told by the last two.
      size_t kept = script_[i].until_close ? 2 : 0;
      for (size_t k = script_[i].messages.size() - std::min(kept, script_[i].messages.size());
           k-- > 0 && script_[i].messages.size() > 1;) {
        TwinScript smaller = script_;
        smaller[i].messages.erase(smaller[i].messages.begin() + static_cast<ptrdiff_t>(k));
        // Without its end a batch would wait for ever.
        if (AnswersOf(smaller[i]) > 0 && smaller[i].messages.back()[0] == 'S') {
          Try(std::move(smaller));
        }
      }
    }
  }

  void StartupParameters() {
    for (size_t i = 0; i < script_.size(); ++i) {
      constexpr size_t kNeeded = 2;  // user and database
      for (size_t k = script_[i].startup.size(); k-- > kNeeded;) {
        TwinScript smaller = script_;
        smaller[i].startup.erase(smaller[i].startup.begin() + static_cast<ptrdiff_t>(k));
        Try(std::move(smaller));
      }
    }
  }

  void Apart() {
    for (size_t i = 0; i < script_.size(); ++i) {
      if (!script_[i].with_next) continue;
      TwinScript apart = script_;
      apart[i].with_next = false;
      Try(std::move(apart));
    }
  }

  TwinScript script_;
  Differs differs_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace

TwinScript TwinRunner::Shrink(TwinScript script, const std::optional<std::string>& pool,
                              std::chrono::seconds at_most) {
  auto differs = [&](const TwinScript& smaller) { return Differs(smaller, pool); };
  return Shrinker(std::move(script), differs, at_most).Take();
}

// A script that no server answers in full is none of ours.
bool TwinRunner::Differs(const TwinScript& script, const std::optional<std::string>& pool) {
  std::optional<TwinDifference> difference = Compare(script, pool);
  return difference && difference->direct.find("no answer in time") == std::string::npos;
}

}  // namespace pgweir::test
