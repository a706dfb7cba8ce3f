#include "query-cache/rules.h"

#include <re2/re2.h>

#include <algorithm>

#include "router/text_hash.h"

namespace pgweir::cache {
namespace {

router::QualifiedName NameOf(std::string_view written) {
  const size_t point = written.find('.');
  if (point == std::string_view::npos) return {"", std::string(written)};
  return {std::string(written.substr(0, point)), std::string(written.substr(point + 1))};
}

RuleId IdOf(const config::CacheRule& rule) {
  uint64_t id = router::HashText(rule.pattern, rule.digest.value_or(0));
  for (const std::string& table : rule.tables) id = router::HashText(table, id);
  return {id};
}

// Settings' names have no case.
std::string Lower(std::string name) {
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

Rule ValuesOf(const config::CacheRule& from, int number) {
  Rule rule;
  rule.number = number;
  rule.id = IdOf(from);
  rule.mode = from.mode;
  rule.lifetimes.ttl = from.ttl;
  rule.lifetimes.empty_ttl = from.empty_ttl.value_or(from.ttl);
  rule.lifetimes.stale_while_revalidate = from.stale_while_revalidate;
  rule.lifetimes.stale_if_error = from.stale_if_error;
  rule.allow_stable = from.allow_stable;
  for (const std::string& name : from.key_settings) rule.key_settings.push_back(Lower(name));
  rule.verify = from.verify;
  rule.verify_disables = from.verify_disables;
  return rule;
}

bool Covers(std::span<const router::QualifiedName> listed, const router::QualifiedName& table) {
  return std::ranges::any_of(listed, [&](const router::QualifiedName& name) {
    return name.name == table.name && (name.schema.empty() || name.schema == table.schema);
  });
}

}  // namespace

StatusOr<Rules> Rules::Compile(std::span<const config::CacheRule> rules) {
  Rules compiled;
  for (const config::CacheRule& rule : rules) {
    Matcher& matcher = compiled.rules_.emplace_back();
    matcher.rule = ValuesOf(rule, static_cast<int>(compiled.rules_.size()));
    for (const std::string& table : rule.tables) matcher.tables.push_back(NameOf(table));
    matcher.digest = rule.digest;
    if (rule.pattern.empty()) continue;
    matcher.pattern = std::make_shared<const re2::RE2>(rule.pattern, re2::RE2::Quiet);
    if (!matcher.pattern->ok()) {
      return Errorf(sqlstate::kConfigFileError, "rule {} of the cache: {}", matcher.rule.number,
                    matcher.pattern->error());
    }
  }
  return compiled;
}

const Rule* Rules::Match(const Candidate& candidate) const {
  for (const Matcher& matcher : rules_) {
    if (Matches(matcher, candidate)) return &matcher.rule;
  }
  return nullptr;
}

// By tables: all that the statement reads are listed. A rule for one table says nothing of what it
// is joined with.
bool Rules::Matches(const Matcher& matcher, const Candidate& candidate) {
  if (matcher.digest.has_value()) return *matcher.digest == candidate.digest;
  if (matcher.pattern != nullptr) {
    const re2::StringPiece text(candidate.normalised.data(), candidate.normalised.size());
    return re2::RE2::PartialMatch(text, *matcher.pattern);
  }
  return !candidate.tables.empty() &&
         std::ranges::all_of(candidate.tables, [&](const router::QualifiedName& table) {
           return Covers(matcher.tables, table);
         });
}

}  // namespace pgweir::cache
