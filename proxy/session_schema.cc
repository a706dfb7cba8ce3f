// A statement on the schema of a database that is divided among nodes: carried out on each of them,
// and answered once.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "proxy/backend_command.h"
#include "proxy/session.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

constexpr std::chrono::milliseconds kSchemaPatience{5'000};
constexpr std::chrono::milliseconds kSchemaLook{10};

Status AtNode(const Status& status, std::string_view node, std::string_view outcome) {
  return WithHint(
      Errorf(SqlStateOf(status), "{} (on the node {}; {})", MessageOf(status), node, outcome),
      HintOf(status));
}

std::string Done(const std::vector<std::string>& nodes, size_t count) {
  if (count == 0) return "nothing is changed on any node";
  return fmt::format("it is done on {}, and on no other",
                     fmt::join(nodes.begin(), nodes.begin() + static_cast<ptrdiff_t>(count), ", "));
}

// The backends of one statement, in the order of the nodes. Those that are not given back end, and
// with them their transactions.
struct Part {
  std::string node;
  pooler::Lease lease;
  bool own_settings = false;  // it has settings of the client's
};

}  // namespace

net::Task<bool> Session::ChangeSchema(std::string request) {
  auto change = SchemaChangeOf(ReadRequest(wire::AsBytes(request), Reading()), Reading());
  StatusOr<std::string> tag = "";
  if (change.ok()) {
    if (cached_ != nullptr) cached_->writes.WriteUnknown();
    tag = co_await CarryOut(*std::move(change));
    if (cached_ != nullptr) {
      cached_->writes.Over();
      cached_->cache.versions.BumpAll();  // nodes may call their databases otherwise
    }
  } else {
    tag = change.status();
  }
  client_.event.SetDeadline(kNoDeadline);
  FinishCancel();
  if (MustEndNow() || client_.stream.socket().hung_up()) co_return false;
  if (!tag.ok()) {
    Reject(wire::AsBytes(request), tag.status());
    co_return true;
  }
  own_.state.DropUnnamed();
  co_await LearnSchema();
  Accept(wire::AsBytes(request), AnswerTo(wire::AsBytes(request), *tag));
  co_return true;
}

// What was changed is to be known when the client goes on: a name that isn't would be led to one
// node only.
net::Task<void> Session::LearnSchema() {
  const uint64_t wanted = own_.catalog->AskAtOnce();
  const TimePoint until = Clock::now() + kSchemaPatience;
  while (own_.catalog->answered() < wanted && Clock::now() < until && !MustEndNow()) {
    client_.event.SetDeadline(Clock::now() + kSchemaLook);
    co_await client_.event.Wait();
  }
  client_.event.SetDeadline(kNoDeadline);
}

// One backend a node is taken, in the order of the nodes, so that no two sessions wait for each
// other.
net::Task<StatusOr<std::string>> Session::CarryOut(SchemaChange change) {
  const std::vector<std::string> nodes = sharding_->map->nodes();
  std::vector<Part> parts;
  std::string tag;
  for (size_t i = 0; i < nodes.size(); ++i) {
    Part& part = parts.emplace_back();
    part.node = nodes[i];
    const size_t done = change.one_by_one ? i : 0;
    if (Status taken = co_await TakeBackendAt(part.node, part.lease); !taken.ok()) {
      co_return AtNode(taken, part.node, Done(nodes, done));
    }
    const std::string settings = wire::SettingsChange(*part.lease->parameters, *own_.parameters);
    part.own_settings = !settings.empty();
    const std::string_view begin = change.one_by_one ? "" : "BEGIN";
    for (const std::string_view sql : {std::string_view(settings), begin}) {
      if (sql.empty()) continue;
      const auto set = co_await RunOn(part.lease, std::string(sql));
      if (!set.ok()) co_return AtNode(set.status(), part.node, Done(nodes, done));
    }
    auto changed = co_await RunOn(part.lease, change.sql);
    if (!changed.ok()) co_return AtNode(changed.status(), part.node, Done(nodes, done));
    tag = *std::move(changed);
    if (change.one_by_one) {
      LogInfo("{} on the node {} session={}", tag, part.node, id_.value);
    }
  }
  for (size_t i = 0; i < parts.size() && !change.one_by_one; ++i) {
    const auto committed = co_await RunOn(parts[i].lease, "COMMIT");
    if (!committed.ok()) co_return AtNode(committed.status(), parts[i].node, Done(nodes, i));
  }
  for (Part& part : parts) {
    FindNode(part.node)->wrote_at = Clock::now();
    if (!part.own_settings && part.lease->tracker.idle()) part.lease.Return();
  }
  co_return tag;
}

net::Task<Status> Session::TakeBackendAt(const std::string& name, pooler::Lease& lease) {
  auto node = NodeOf(name);
  if (!node.ok()) co_return node.status();
  at_ = *node;
  pool_ = at_->primary;
  while (true) {
    lease = TryAcquire();
    if (!lease) {
      auto acquired = co_await AwaitLease();
      if (!acquired.ok()) co_return acquired.status();
      lease = *std::move(acquired);
    }
    if (own_.Suits(*lease) && pooler::DrainUnasked(*lease, host_.worker().scratch())) {
      co_return absl::OkStatus();
    }
    lease.Discard();
  }
}

net::Task<StatusOr<std::string>> Session::RunOn(pooler::Lease& lease, std::string sql,
                                                std::vector<std::string>* rows, TimePoint until) {
  BackendCommand command(lease, host_.worker(), sql, rows);
  while (true) {
    switch (command.Pump()) {
      case BackendCommand::State::kDone:
        if (!command.error().ok()) co_return command.error();
        co_return command.tag();
      case BackendCommand::State::kLost:
        co_return Error(sqlstate::kConnectionFailure, "the server connection was lost");
      case BackendCommand::State::kWait:
        break;
    }
    if (MustEndNow()) co_return EndReason();
    const bool gone = client_.stream.socket().hung_up();
    if (cancel_ != nullptr || gone) {
      host_.worker().sends().Flush();  // what is to be cancelled
      pool_->Cancel(*lease, [ticket = std::exchange(cancel_, nullptr)]() mutable {
        if (ticket != nullptr) CancelTicket::Finish(std::move(ticket));
      });
    }
    if (gone) co_return absl::CancelledError("client gone");
    if (Clock::now() >= until) {
      co_return Error(sqlstate::kQueryCanceled, "canceling statement due to pool.query_timeout");
    }
    client_.event.SetDeadline(until);
    co_await client_.event.Wait();
  }
}

}  // namespace pgweir::proxy
