#include "proxy/placement_check.h"

#include "base/log.h"
#include "proxy/catalog_question.h"
#include "router/placement_report.h"

namespace pgweir::proxy {
namespace {

using Severity = router::PlacementFinding::Severity;

StatusOr<router::PlacementRows> Ask(const pooler::Target& target) {
  router::PlacementRows rows;
  const auto query = [](size_t i) {
    return router::PlacementQueryText(static_cast<router::PlacementQuery>(i));
  };
  if (Status asked = AskCatalogs(target, kCatalogPatience, query, rows); !asked.ok()) return asked;
  return rows;
}

void Say(const std::string& database, const router::PlacementFinding& finding) {
  const std::string line = router::Describe(finding);
  if (finding.severity == Severity::kError) {
    LogError("shard map database={}: {}", database, line);
  } else if (finding.severity == Severity::kWarning) {
    LogWarn("shard map database={}: {}", database, line);
  } else {
    LogInfo("shard map database={}: {}", database, line);
  }
}

}  // namespace

PlacementCheck::PlacementCheck() : thread_([this] { Run(); }) {}

PlacementCheck::~PlacementCheck() {
  stopping_ = true;
  wanted_.release();
  thread_.join();
}

bool PlacementCheck::Stop(TimePoint deadline) {
  stopping_ = true;
  wanted_.release();
  return ended_.try_acquire_until(deadline);
}

// What is known of another map counts no more.
PlacementCheck::Known& PlacementCheck::Of(const std::string& database,
                                          const router::ShardMapRef& map) {
  Known& known = known_[database];
  if (known.map != map) {
    known = Known();
    known.map = map;
  }
  return known;
}

void PlacementCheck::Enqueue(Question question) {
  questions_.push_back(std::move(question));
  wanted_.release();
}

void PlacementCheck::Guess(const std::string& database, const router::ShardMapRef& map,
                           Nodes nodes) {
  const MutexLock lock(mutex_);
  Known& known = Of(database, map);
  if (known.guessing || known.looked_at || known.has_logins) return;
  known.guessing = true;
  Enqueue({database, map, std::move(nodes), true});
}

bool PlacementCheck::WantsLogins(const std::string& database,
                                 const router::ShardMapRef& map) const {
  const MutexLock lock(mutex_);
  const auto known = known_.find(database);
  return known == known_.end() || known->second.map != map || !known->second.has_logins;
}

void PlacementCheck::GiveLogins(const std::string& database, const router::ShardMapRef& map,
                                Nodes nodes) {
  const MutexLock lock(mutex_);
  Known& known = Of(database, map);
  if (std::exchange(known.has_logins, true) || known.looked_at) return;
  if (known.guessing) {
    known.logins = std::move(nodes);
  } else {
    Enqueue({database, map, std::move(nodes)});
  }
}

void PlacementCheck::GuessOver(const Question& question, const Status& outcome) {
  const MutexLock lock(mutex_);
  Known& known = known_[question.database];
  if (known.map != question.map) return;
  known.guessing = false;
  known.looked_at = outcome.ok();
  if (known.looked_at) return;
  if (!known.logins.empty()) {
    return Enqueue({question.database, question.map, std::exchange(known.logins, {})});
  }
  LogInfo("shard map database={}: the tables are looked at when a client comes: {}",
          question.database, MessageOf(outcome));
}

void PlacementCheck::Run() {
  while (!stopping_) {
    wanted_.acquire();
    Question question;
    {
      const MutexLock lock(mutex_);
      if (questions_.empty()) continue;
      question = std::move(questions_.front());
      questions_.pop_front();
    }
    if (!stopping_) Answer(question);
  }
  ended_.release();
}

void PlacementCheck::Answer(const Question& question) {
  std::vector<router::NodePlacement> placements;
  for (const auto& [node, target] : question.nodes) {
    if (stopping_) return;
    auto rows = Ask(target);
    if (rows.ok()) {
      placements.push_back({node, *std::move(rows)});
    } else if (question.guess) {
      return GuessOver(question, rows.status());
    } else {
      LogWarn("shard map database={}: the tables of the node {} could not be looked at: {}",
              question.database, node, MessageOf(rows.status()));
    }
  }
  if (question.guess) GuessOver(question, absl::OkStatus());
  const auto findings = router::ReportPlacement(*question.map, placements);
  if (!findings.ok()) {
    return LogError("shard map database={}: {}", question.database, MessageOf(findings.status()));
  }
  for (const router::PlacementFinding& finding : *findings) Say(question.database, finding);
  LogInfo("shard map database={}: {} nodes looked at, {} findings", question.database,
          placements.size(), findings->size());
}

}  // namespace pgweir::proxy
