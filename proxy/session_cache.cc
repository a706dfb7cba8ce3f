// Reads that the query cache answers, and answers that are kept for it.
//
// A read outside of a transaction, or, where it may be, in one, is looked for before it goes to a
// server. When it isn't there, one session asks, and those that want the same wait for its answer.
// What a session writes is told to the cache by proxy/write_watch.

#include <algorithm>
#include <array>
#include <random>

#include "proxy/bound_parameters.h"
#include "proxy/session.h"
#include "query-cache/extents.h"
#include "router/repeat_verdict.h"
#include "router/statement_cache.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using cache::Freshness;
using cache::Refusal;
using observe::CacheOutcome;

// The one statement that is carried out; null when there are several, or none.
const RequestStatement* OnlyOne(const RequestContents& request) {
  const RequestStatement* only = nullptr;
  for (const RequestStatement& statement : request.statements) {
    if (!statement.carried_out()) continue;
    if (only != nullptr) return nullptr;
    only = &statement;
  }
  return only;
}

bool MayBeRead(const RequestStatement& statement) {
  if (statement.facts == nullptr || statement.facts->statements.empty()) return false;
  return statement.facts->statements.front().kind == router::StatementKind::kSelect;
}

// What a comment says, else the session's settings.
std::optional<router::Hints::Cache> WishOf(std::string_view text, const router::SqlScan& scan,
                                           const CacheSettings& settings) {
  if (!scan.comments().empty()) {
    const auto hints = router::HintsOf(text, scan);
    if (hints.ok() && hints->cache.has_value()) return hints->cache;
  }
  return settings.wish;
}

bool NamesMoment(const BoundParameters& parameters) {
  return std::any_of(
      parameters.begin(), parameters.end(), [](const router::BoundParameter& parameter) {
        return !parameter.null && !parameter.binary && router::MayMeanNow(parameter.bytes);
      });
}

// By chance, in this share of cases.
bool IsChosen(double share) {
  if (share <= 0) return false;
  thread_local std::minstd_rand random(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(random) < share;
}

bool IsConnectionClass(const Status& status) {
  const std::string state = SqlStateOf(status);
  return state.starts_with("08") || state.starts_with("53") || state.starts_with("57P");
}

}  // namespace

void Session::UseCache() {
  cache::QueryCache* const cache = host_.shared().cache;
  if (cache == nullptr || own_.catalog == nullptr || dedicated_) return;
  const config::Cache& configured = host_.snapshot()->config().cache;
  const bool in_transactions =
      configured.in_transactions == config::CacheInTransactions::kUntilWrite &&
      own_.mode == config::PoolMode::kTransaction;
  cached_ = std::make_unique<CachedRead>(*cache, host_.tools().planners, in_transactions);
  own_.writes = &cached_->writes;
  TellWritesPlace();
}

void Session::TellWritesPlace() {
  if (cached_ == nullptr) return;
  cached_->writes.set_place(
      {at_->server_database, own_.catalog, sharded() ? sharding_->map : nullptr});
}

bool Session::BeginsReadCommitted(const router::StatementFacts& statement) const {
  using Isolation = router::StatementFacts::Isolation;
  if (!statement.begins) return false;
  if (statement.isolation != Isolation::kDefault) {
    return statement.isolation == Isolation::kReadCommitted;
  }
  const std::string* const set = own_.parameters->FindUnreported("default_transaction_isolation");
  if (set != nullptr) return *set == "read committed";
  const router::CatalogRef catalog = own_.catalog->Get();
  return catalog != nullptr && catalog->read_committed();
}

bool Session::OnlyReads(const RequestStatement& statement) {
  if (!statement.carried_out()) return true;
  if (statement.facts == nullptr || statement.facts->statements.size() != 1) return false;
  return statement.facts->statements.front().kind == router::StatementKind::kSelect &&
         host_.tools().catalogs.OfReads(*own_.catalog, statement.facts) ==
             router::ReadVerdict::kRead;
}

void Session::FollowTransaction(const RequestContents& request, bool goes_on) {
  bool& only_reads = cached_->only_reads;
  if (!goes_on) only_reads = false;
  for (const RequestStatement& statement : request.statements) {
    const router::Facts* const facts = statement.facts.get();
    const bool begins = !goes_on && statement.carried_out() && facts != nullptr &&
                        facts->statements.size() == 1 && facts->statements.front().begins;
    if (begins) {
      only_reads = BeginsReadCommitted(facts->statements.front());
      goes_on = true;
    } else {
      only_reads = only_reads && OnlyReads(statement);
    }
  }
  only_reads = only_reads && request.complete;
}

// Why this read isn't to be answered from the cache; its `rule` and lifetimes otherwise.
Refusal Session::WhyNotCached(wire::Bytes request, const RequestStatement& statement,
                              const CacheAdmissions::Known& known) {
  CachedRead& read = *cached_;
  const router::SqlScan& scan =
      host_.tools().statements.ScanOf(statement.text, own_.parameters->standard_strings());
  const auto wish = WishOf(statement.text, scan, read.settings);
  if (wish.has_value() && wish->off) return Refusal::kOff;
  const cache::Rule* const rule = known.admission.rule;
  if (rule == nullptr && !wish.has_value()) return Refusal::kNoRule;
  if (rule != nullptr && read.cache.IsOff(rule->id)) return Refusal::kOff;
  const Refusal by_rule = known.admission.Under(rule);
  if (by_rule != Refusal::kNone) return by_rule;
  if (Standing() != wire::TransactionStatus::kIdle && !read.only_reads) {
    return Refusal::kTransaction;
  }
  if (read.settings.refusal != Refusal::kNone) return read.settings.refusal;
  if (known.catalog == nullptr || own_.catalog->doubtful()) return Refusal::kUnknownName;
  const auto shape = ReadCacheable(request);
  if (!shape.has_value()) return Refusal::kRequest;
  if (shape->extended && !shape->parses) {
    const StatementRef* const named = own_.state.Find(shape->statement);
    if (named == nullptr || (*named)->analysis != read.settings.analysis) return Refusal::kPrepared;
  }
  if (rule == nullptr || !rule->allow_stable) {
    if (router::NamesMoment(scan, statement.text) ||
        NamesMoment(ReadParameters(statement.values, statement.types))) {
      return Refusal::kVaries;
    }
  }
  read.request = *shape;
  read.origin.rule = rule == nullptr ? cache::RuleId() : rule->id;
  read.lifetimes = rule == nullptr ? cache::Lifetimes() : rule->lifetimes;
  if (wish.has_value()) read.lifetimes.ttl = read.lifetimes.empty_ttl = wish->ttl;
  return Refusal::kNone;
}

cache::Key Session::CacheKeyOf(const RequestStatement& statement) {
  absl::InlinedVector<std::string_view, 4> nodes = {at_->name};
  if (sharded()) {
    for (const router::NodeId node : sharding_->onward) {
      nodes.push_back(sharding_->map->NameOf(node));
    }
  }
  const CacheSettings& settings = cached_->settings;
  return host_.tools().keys.Make({.nodes = nodes,
                                  .database = database_,
                                  .login_role = user_,
                                  .effective_role = settings.role,
                                  .search_path = settings.search_path,
                                  .settings = settings.fingerprint,
                                  .protocol = cached_->request.extended ? cache::Protocol::kExtended
                                                                        : cache::Protocol::kSimple,
                                  .text = statement.text,
                                  .parameter_types = statement.types,
                                  .bind = statement.values});
}

// What the read depends on, on all the nodes that it goes to.
cache::Extent Session::ExtentOf(const RequestStatement& statement, const router::Catalog& catalog) {
  const router::StatementFacts& facts = statement.facts->statements.front();
  const router::TouchedTables tables = router::TablesRead(facts, catalog);
  if (!sharded()) return cache::ExtentOf(at_->server_database, tables, catalog, facts, {});
  const auto symbols =
      SymbolsOf(statement, 0, Reading(), host_.tools().planners.Of(*own_.catalog, sharding_->map));
  cache::Extent extent = cache::ExtentOf(at_->server_database, tables, catalog, facts, symbols);
  for (const router::NodeId id : sharding_->onward) {
    const auto node = NodeOf(sharding_->map->NameOf(id));
    const bool known = node.ok();
    cache::Extent there = cache::ExtentOf(known ? (*node)->server_database : cache::DatabaseId(),
                                          tables, catalog, facts, symbols);
    there.unknown = there.unknown || !known;
    cache::Unite(extent, std::move(there));
  }
  return extent;
}

// The entry, when it may be served to whoever asks now as far as writes go.
cache::EntryRef Session::FindCached(const cache::Key& key) {
  CachedRead& read = *cached_;
  cache::EntryRef entry = read.cache.store.Find(key);
  if (entry == nullptr) return nullptr;
  if (!read.cache.versions.Holds(entry->reading)) {
    read.cache.invalidations.fetch_add(1, std::memory_order_relaxed);
    read.cache.store.Erase(*entry);
    return nullptr;
  }
  return read.request.wants_description() && entry->row_description.empty() ? nullptr : entry;
}

void Session::LookInCache(wire::Bytes request, const RequestContents& contents) {
  CachedRead& read = *cached_;
  read.Forget();
  if (own_.mode == config::PoolMode::kSession) return;
  const RequestStatement* const statement = OnlyOne(contents);
  if (statement == nullptr || !MayBeRead(*statement) || statement->text.empty()) return;
  if (sharded() && (!sharding_->refusal.ok() || sharding_->everywhere)) return;
  if (read.settings.of != own_.parameters) read.settings = CacheSettingsOf(own_.parameters);
  const CacheAdmissions::Known& known = host_.tools().admissions.Of(
      *own_.catalog, statement->facts, statement->text, own_.parameters->standard_strings(),
      host_.tools().statements, host_.snapshot()->cache_rules(), read.cache);
  const Refusal refusal = WhyNotCached(request, *statement, known);
  if (refusal != Refusal::kNone) {
    if (known.admission.rule != nullptr) watch_.set_cache(CacheOutcome::kBypass);
    return known.Refuse(refusal);
  }

  const cache::Rule* const rule = known.admission.rule;
  const bool shadow = rule != nullptr && rule->mode == config::CacheMode::kShadow;
  const cache::Key key = CacheKeyOf(*statement);
  const cache::EntryRef entry = FindCached(key);
  const Freshness freshness =
      entry == nullptr ? Freshness::kExpired : cache::Judge(*entry, read.lifetimes, Clock::now());
  const bool hit = freshness == Freshness::kFresh || freshness == Freshness::kStale;
  if (hit && shadow) return known.ShadowHit();
  if (hit) {
    known.Hit();
    const bool stale = freshness == Freshness::kStale;
    const bool verifies = !stale && rule != nullptr && IsChosen(rule->verify);
    // The answer ends what is known of the nodes that it is of, and of the request.
    std::optional<UnattendedRead> asks;
    if (stale || verifies) asks = Unattended(*statement);
    if (stale) NoteOrigin(key, *statement, *known.catalog);
    Answer(request, *statement, entry, stale ? CacheOutcome::kStale : CacheOutcome::kHit);
    if (stale) read.cache.stale_served.fetch_add(1, std::memory_order_relaxed);
    if (!asks.has_value()) return;
    return stale ? Refresh(key, *std::move(asks)) : Verify(*std::move(asks), entry, *rule);
  }
  known.Miss();
  watch_.set_cache(CacheOutcome::kMiss);
  NoteOrigin(key, *statement, *known.catalog);
  const bool in_transaction = Standing() != wire::TransactionStatus::kIdle;
  if (freshness == Freshness::kIfError && !shadow && !in_transaction) read.stale = entry;
  // Who waited with a backend in hand could be what the one that asks waits for, and a wait that
  // fails would be a transaction's end.
  if (shadow || in_transaction) {
    auto lead = read.cache.flights.TryLead(key, read.origin.reading);
    if (lead.has_value()) Fill(*std::move(lead));
    read.storable = !attached() || pool_ == at_->primary;
    return;
  }
  read.news = std::make_shared<NewsBox>(host_.worker(), client_.event);
  auto joined = read.cache.flights.Join(key, read.origin.reading, NewsBox::TellTo(read.news));
  if (auto* const lead = std::get_if<cache::Lead>(&joined)) {
    // Another's answer may have come since.
    if (const cache::EntryRef now = FindCached(key);
        now != nullptr && cache::Judge(*now, read.lifetimes, Clock::now()) == Freshness::kFresh) {
      lead->Land(now);
      return Answer(request, *statement, now, CacheOutcome::kHit);
    }
    return Fill(std::move(*lead));
  }
  read.wait.emplace(std::get<cache::Wait>(std::move(joined)));
  read.waiting = true;
}

bool Session::AnswersInTransaction(wire::Bytes request, const RequestContents& contents) {
  const wire::ReplyTracker& tracker = relay().lease()->tracker;
  cached_->answered = false;
  FollowTransaction(contents, tracker.status() != wire::TransactionStatus::kIdle);
  if (tracker.status() != wire::TransactionStatus::kInTransaction || tracker.batch_open() ||
      own_.state.pin() != nullptr) {
    return false;
  }
  LookInCache(request, contents);
  return cached_->answered;
}

void Session::NoteOrigin(const cache::Key& key, const RequestStatement& statement,
                         const router::Catalog& catalog) {
  EntryOrigin& origin = cached_->origin;
  origin.key.assign(key.bytes);
  origin.hash = key.hash;
  origin.digest = statement.facts->digest;
  origin.extent = ExtentOf(statement, catalog);
  origin.reading = cached_->cache.versions.Read(origin.extent);
  origin.sent_at = Clock::now();
}

// What a client's request asks, by itself: nobody sees it but the cache. Nothing when one of its
// nodes is gone.
std::optional<UnattendedRead> Session::Unattended(const RequestStatement& statement) {
  std::string request;
  if (cached_->request.extended) {
    request = UnnamedBatch(statement.text, statement.types, statement.values);
  } else {
    wire::AppendQuery(request, statement.text);
  }
  UnattendedRead read{{}, own_.parameters, cached_->cache.store.max_entry_bytes()};
  const bool joint = own_.joint != nullptr;
  read.parts.push_back({at_->primary, joint ? PartOf(request, *at_).request : request});
  if (!joint) return read;
  for (auto id = sharding_->onward.rbegin(); id != sharding_->onward.rend(); ++id) {
    const auto node = NodeOf(sharding_->map->NameOf(*id));
    if (!node.ok()) return std::nullopt;
    read.parts.push_back({(*node)->primary, PartOf(request, **node).request});
  }
  return read;
}

// An answer that has just been served is getting old.
void Session::Refresh(const cache::Key& key, UnattendedRead asks) {
  CachedRead& read = *cached_;
  auto lead = read.cache.flights.TryLead(key, read.origin.reading);
  if (!lead.has_value()) return;
  const bool keeps_empty = read.lifetimes.empty_ttl > Duration::zero();
  net::Spawn(RefreshEntry(host_.worker(), read.cache, *std::move(lead), std::move(asks),
                          read.origin, keeps_empty));
}

void Session::Verify(UnattendedRead asks, const cache::EntryRef& entry, const cache::Rule& rule) {
  net::Spawn(
      VerifyEntry(host_.worker(), cached_->cache, std::move(asks), entry, rule.verify_disables));
}

// The session asks the server, and its answer is kept.
void Session::Fill(cache::Lead lead) {
  CachedRead& read = *cached_;
  read.lead.emplace(std::move(lead));
  read.origin.reading = read.cache.versions.Read(read.origin.extent);
  read.origin.sent_at = Clock::now();
  read.capture.Begin(read.cache.store.max_entry_bytes(), Standing());
  read.filling = read.storable = true;
  own_.capture = &read.capture;
}

void Session::Answer(wire::Bytes request, const RequestStatement& statement,
                     const cache::EntryRef& entry, CacheOutcome outcome) {
  if (!cached_->request.extended) {
    own_.state.DropUnnamed();
  } else if (cached_->request.parses) {
    own_.state.KeepUnnamed(host_.tools().next_unnamed++, statement.text, statement.types,
                           statement.facts);
  }
  const bool extended = cached_->request.extended;
  const size_t bytes = SendCached(request, *entry);
  watch_.OnHit(statement, extended, entry->tag, bytes, outcome);
}

size_t Session::SendCached(wire::Bytes request, const cache::Entry& entry) {
  std::string& own = host_.tools().answer;
  own.clear();
  AppendBeforeRows(own, cached_->request, entry.row_description);
  const size_t before = own.size();
  const wire::TransactionStatus standing = Standing();
  AppendBehindRows(own, entry.tag, standing);
  const std::string_view around = own;
  const std::array<std::string_view, 3> answer = {around.substr(0, before), entry.rows,
                                                  around.substr(before)};
  requests_.Accept(request, answer);
  client_.counters->Add(Stat::kQueries);
  if (standing == wire::TransactionStatus::kIdle) client_.counters->Add(Stat::kXacts);
  cached_->answered = true;
  if (sharded()) {
    sharding_->onward.clear();
    own_.joint = nullptr;
  }
  return own.size() + entry.rows.size();
}

// Another session asks the server the same: its answer is waited for, or its place taken. False
// when the session is over.
net::Task<bool> Session::AwaitAnswer(std::string request) {
  CachedRead& read = *cached_;
  const config::Pool limits = at_->primary->limits();
  const Duration own_limit = read.settings.statement_timeout;
  const TimePoint until = DeadlineAfter(limits.wait_timeout);
  const TimePoint ends_at = own_limit > Duration::zero() ? Clock::now() + own_limit : kNoDeadline;
  while (read.waiting) {
    if (auto news = read.news->Take(); news.has_value()) {
      read.waiting = false;
      TakeNews(wire::AsBytes(request), *std::move(news));
    } else if (client_.stream.socket().hung_up()) {
      co_return false;
    } else if (MustEnd()) {
      co_await Say(EndReason());
      co_return false;
    } else if (cancel_ != nullptr || Clock::now() >= ends_at) {
      const std::string_view why = cancel_ != nullptr ? "user request" : "statement timeout";
      FinishCancel();
      read.Forget();
      Reject(wire::AsBytes(request),
             Errorf(sqlstate::kQueryCanceled, "canceling statement due to {}", why));
      client_.event.SetDeadline(kNoDeadline);
      co_return true;
    } else if (Clock::now() >= until) {
      read.waiting = false;
    } else {
      client_.event.SetDeadline(std::min(until, ends_at));
      co_await client_.event.Wait();
    }
  }
  client_.event.SetDeadline(kNoDeadline);
  read.wait.reset();
  if (read.answered) co_return true;
  co_return co_await AskServer(std::move(request));
}

// As if the request had just come, but that the cache is not looked into any more.
net::Task<bool> Session::AskServer(std::string request) {
  const RequestContents contents = ReadRequest(wire::AsBytes(request), Reading());
  if (Status chosen = ChooseCopy(contents); !chosen.ok()) {
    cached_->Forget();
    Reject(wire::AsBytes(request), chosen);
    co_return true;
  }
  if (sharded() && own_.joint != nullptr) request = PartHere(request);
  co_return co_await Obtain(std::move(request), TryAcquire());
}

void Session::TakeNews(wire::Bytes request, cache::News news) {
  CachedRead& read = *cached_;
  if (auto* const lead = std::get_if<cache::Lead>(&news)) return Fill(std::move(*lead));
  auto* const answer = std::get_if<cache::EntryRef>(&news);
  if (answer == nullptr) return;
  if (read.request.wants_description() && (*answer)->row_description.empty()) return;
  const RequestContents contents = ReadRequest(request, Reading());
  const RequestStatement* const statement = OnlyOne(contents);
  if (statement == nullptr) return;
  read.cache.coalesced.fetch_add(1, std::memory_order_relaxed);
  watch_.Mark(observe::Moment::kFirstByte, Clock::now());
  Answer(request, *statement, *answer, CacheOutcome::kHit);
}

// The server's answer has passed, or come to nothing.
void Session::KeepAnswer() {
  CachedRead& read = *cached_;
  own_.capture = nullptr;
  read.filling = false;
  if (!read.lead.has_value()) return;
  if (!read.capture.complete()) {
    if (read.capture.too_long()) read.cache.store.CountTooLarge();
    read.capture.failed() ? read.lead->Fail() : read.lead->GiveUp();
    return read.Forget();
  }
  const cache::EntryRef kept = MakeEntry(std::move(read.origin), read.capture);
  const bool lives = kept->row_count > 0 || read.lifetimes.empty_ttl > Duration::zero();
  Publish(read.cache, *read.lead, kept, lives && read.storable);
  read.Forget();
}

// No server can be reached: an old answer is better than none, where the rule says so.
bool Session::AnswerStale(wire::Bytes request, const Status& reason) {
  if (cached_ == nullptr || cached_->stale == nullptr || !IsConnectionClass(reason)) return false;
  // The client has rows of other nodes already.
  if (own_.goes_on()) return false;
  const cache::EntryRef entry = std::exchange(cached_->stale, nullptr);
  if (!cached_->cache.versions.Holds(entry->reading)) return false;
  const RequestContents contents = ReadRequest(request, Reading());
  const RequestStatement* const statement = OnlyOne(contents);
  if (statement == nullptr) return false;
  own_.capture = nullptr;
  cached_->cache.stale_served.fetch_add(1, std::memory_order_relaxed);
  Answer(request, *statement, entry, CacheOutcome::kStale);
  cached_->Forget();
  return true;
}

}  // namespace pgweir::proxy
