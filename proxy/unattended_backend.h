#pragma once

#include <string>

#include "net/event.h"
#include "net/task.h"
#include "net/worker.h"
#include "pooler/pool.h"
#include "proxy/answer_capture.h"
#include "proxy/backend_command.h"

namespace pgweir::proxy {

// A backend for what no client waits for, with the settings of a client that once asked. For one
// coroutine on the worker's thread; what it has when it ends is closed.
class UnattendedBackend {
 public:
  UnattendedBackend(net::Worker& worker, wire::ParametersRef settings)
      : worker_(worker), event_(worker), settings_(std::move(settings)) {}

  // By then all is done, or has failed.
  void SetDeadline(TimePoint deadline) { event_.SetDeadline(deadline); }

  // Takes one of the pool's, for which it waits like a client.
  net::Task<bool> Await(pooler::Pool& pool);
  // Takes one that clients can do without, as soon as there is one; none is waited for in a
  // client's way. `until` stands in for the deadline.
  net::Task<bool> AwaitSpare(pooler::Pool& pool, TimePoint until);

  // Then, one after the other:
  net::Task<bool> TakeSettings();
  // False when the server says no.
  net::Task<bool> Run(std::string sql);
  // `request`: a Query, or a batch of unnamed statements with its Sync. False when there is no
  // answer; a server's no is one.
  net::Task<bool> Ask(std::string request, AnswerCapture& capture);
  // To the pool, if it is fit for others.
  void GiveBack();

  // The first error that a server answered.
  const Status& error() const { return error_; }

 private:
  bool Suits() const;
  net::Task<bool> Finish(BackendCommand& command);

  net::Worker& worker_;
  net::Event event_;
  const wire::ParametersRef settings_;
  pooler::Lease lease_;
  Status error_;
  bool spoilt_ = false;  // nobody else is to get it
};

}  // namespace pgweir::proxy
