#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "config/config.h"
#include "pooler/backend.h"
#include "proxy/answer_capture.h"
#include "proxy/joint_answer.h"
#include "proxy/node_catalog.h"
#include "proxy/session_state.h"
#include "proxy/shard_statistics.h"
#include "proxy/write_watch.h"
#include "router/shard_map.h"
#include "wire/parameters.h"

namespace pgweir::proxy {

// What a client has whether or not it holds a backend, as far as its relays must know it. Each of
// its uses of a backend finds here what the one before has left, and what its session says of how
// it is to be carried.
struct Belongings {
  // In session mode a backend is never reported free, and what the client says about its statements
  // goes through as it is; in statement mode a transaction is a violation.
  void Configure(const config::Pool& limits);

  // The settings with a dot in their names that the client has, as one number.
  uint64_t custom_settings() const {
    return parameters == nullptr ? 0 : parameters->custom_settings();
  }
  // Whether the backend may serve this client.
  bool Suits(const pooler::Backend& backend) const {
    return backend.custom_settings == 0 || backend.custom_settings == custom_settings();
  }
  // Whether it needs no settings first.
  bool Agrees(const pooler::Backend& backend) const {
    return parameters == backend.parameters ||
           parameters->unreported() == backend.parameters->unreported();
  }
  // The SQL that gives the backend settings of the client's that it must not work without: they are
  // to be there before the client's request. Mostly "".
  std::string SettingsFirst(pooler::Backend& backend) const;
  // They are.
  void SettingsDone(pooler::Backend& backend) const;

  // The client's request has been answered in part, by backends before.
  bool goes_on() const { return joint != nullptr && joint->goes_on(); }

  // --- the client's own ---

  // The settings that it has, or null while it has not logged in.
  wire::ParametersRef parameters;
  SessionState state;
  // In session mode its statements, as far as they are known: not to be relied on. Else null.
  std::unique_ptr<SessionState> passed;
  // When its last request began, and ended if it has.
  TimePoint request_at{};
  // How many requests have been answered to their end.
  uint64_t answers = 0;
  const char* noted_pin = nullptr;  // why it was last seen to keep its backend

  // --- what its session says ---

  NodeCatalogRef catalog;   // of the database that it works on
  router::ShardMapRef map;  // by which that is divided; null = one node holds everything
  // Is told what goes to a server, and when that is over; null = nobody.
  WriteWatch* writes = nullptr;
  // Gets what the client is sent; null = nobody.
  AnswerCapture* capture = nullptr;
  // Where the client's requests are counted from now on; null = nowhere.
  PatternCounters* pattern_counters = nullptr;
  // What several backends answer is one answer for the client; null = each is its own.
  JointAnswer* joint = nullptr;
  config::PoolMode mode = config::PoolMode::kTransaction;
  config::OnSessionState on_session_state = config::OnSessionState::kPin;
  // It is the session that reads the client's requests, and gives them to Relay::Go one by one. The
  // rest of a message, and the data of a COPY, are read by the relay all the same.
  bool guided = false;
  bool terminated = false;  // the client has said so
  bool gone = false;        // it takes nothing more
  int max_prepared = 200;   // statements that a backend holds before the oldest one is closed
};

}  // namespace pgweir::proxy
