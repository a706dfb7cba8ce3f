#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/config.h"
#include "query-cache/entry.h"
#include "query-cache/freshness.h"
#include "router/statement_facts.h"

namespace re2 {
class RE2;
}

namespace pgweir::cache {

// What a rule of the configuration says, ready for use.
struct Rule {
  int number = 0;  // in the configuration, from 1
  // By what the rule is for, so that it stays the same when a reload changes anything else of it.
  RuleId id;
  config::CacheMode mode = config::CacheMode::kOn;
  Lifetimes lifetimes;
  bool allow_stable = false;
  std::vector<std::string> key_settings;  // lower case
  double verify = 0;
  bool verify_disables = false;
};

// What rules look at in a statement. Views of the caller's.
struct Candidate {
  // The tables and views that it names, with the schemas in which they were found.
  std::span<const router::QualifiedName> tables;
  uint64_t digest = 0;
  std::string_view normalised;
};

// [[cache.rules]] of one configuration. Immutable, any thread. Matching looks at the rules one by
// one: whoever has a place for it keeps what came out beside the statement's facts.
class Rules {
 public:
  Rules() = default;
  // An error where a pattern is none, which the configuration's reader has seen before.
  static StatusOr<Rules> Compile(std::span<const config::CacheRule> rules);

  // The first that matches, whatever its mode; null when none does. Lives as long as this.
  const Rule* Match(const Candidate& candidate) const;

  size_t size() const { return rules_.size(); }
  const Rule& operator[](size_t number) const { return rules_[number].rule; }

 private:
  struct Matcher {
    Rule rule;
    // One of these is set.
    std::vector<router::QualifiedName> tables;  // schema "" = any
    std::optional<uint64_t> digest;
    // RE2: its time is linear in the text, whatever the pattern.
    std::shared_ptr<const re2::RE2> pattern;
  };

  static bool Matches(const Matcher& matcher, const Candidate& candidate);

  std::vector<Matcher> rules_;
};

}  // namespace pgweir::cache
