#include "proxy/statement_watch.h"

#include <algorithm>
#include <utility>

#include "proxy/shard_statistics.h"
#include "proxy/spares.h"
#include "proxy/worker_tools.h"
#include "wire/byte_reader.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using observe::Moment;
namespace frontend = wire::frontend;
namespace backend = wire::backend;

// Of a pipeline that is longer only so many statements are followed with what they say.
constexpr size_t kMostWithText = 256;
// And beyond these none, until the client waits for answers.
constexpr size_t kMostEntries = 8192;
// Bind's values beyond are left out.
constexpr size_t kMostValues = size_t{64} << 10;
// Portals with a name beyond are forgotten, the oldest first.
constexpr size_t kMostPortals = 16;
// Memory that a statement took beyond is given back.
constexpr size_t kKeptText = size_t{4} << 10;
constexpr size_t kKeptEntries = 32;

void Clear(std::string& text) {
  if (text.capacity() > kKeptText) {
    std::string().swap(text);
  } else {
    text.clear();
  }
}

// What a server may say at any time, to nothing that it was asked.
bool IsUnasked(char type) {
  return type == backend::kNoticeResponse || type == backend::kNotificationResponse ||
         type == backend::kParameterStatus;
}

}  // namespace

void StatementWatch::Asked::Clear() {
  named = nullptr;
  facts = nullptr;
  for (std::string* const part : {&text, &types, &values, &name, &portal}) proxy::Clear(*part);
  cut = false;
}

void StatementWatch::Entry::Clear() {
  asked.Clear();
  for (std::string* const part : {&tag, &sqlstate, &error}) proxy::Clear(*part);
}

StatementWatch::Coming& StatementWatch::coming() {
  if (coming_ == nullptr) coming_ = TakeSpare(tools_.spare_coming);
  return *coming_;
}

void StatementWatch::Receive(TimePoint now) {
  Request& request = coming().request;
  request.timer.Start(now);
  request.cache = observe::CacheOutcome::kNone;
  request.symbol.clear();
  request.retries = 0;
}

void StatementWatch::Mark(Moment moment, TimePoint now) {
  coming().request.timer.Mark(moment, now);
}

void StatementWatch::AddConnecting(Duration time) { coming().request.timer.AddConnecting(time); }

void StatementWatch::set_cache(observe::CacheOutcome outcome) { coming().request.cache = outcome; }

void StatementWatch::set_symbol(std::string_view symbol) { coming().request.symbol.assign(symbol); }

void StatementWatch::ForgetPlace() { coming().places = Places(); }

void StatementWatch::set_place(const Place& place) {
  Places& places = coming().places;
  places.nodes.clear();
  places.bits = {};
  places.role = observe::NodeRole::kNone;
  AddPlace(place);
  places.server_pid = place.server_pid;
}

void StatementWatch::AddPlace(const Place& place) {
  const auto add = [&place](Places& places) {
    const auto& nodes = places.nodes;
    if (std::find(nodes.begin(), nodes.end(), place.node) == nodes.end()) {
      places.nodes.push_back(place.node);
    }
    if (place.bit.has_value() && *place.bit / 64 < places.bits.size()) {
      places.bits[*place.bit / 64] |= uint64_t{1} << *place.bit % 64;
    }
    // Where one of several wasn't a replica, the answer isn't a replica's.
    if (places.role != observe::NodeRole::kPrimary) places.role = place.role;
    places.server_pid = 0;
  };
  add(coming().places);
  for (size_t i = next_; i < size_; ++i) add(buffers_->entries[i].places);
}

// --- requests ---

StatementWatch::Entry& StatementWatch::Push(Entry::Kind kind) {
  if (buffers_ == nullptr) TakeBuffers();
  std::vector<Entry>& entries = buffers_->entries;
  if (size_ == entries.size() && first_ > 0 && first_ >= size_ / 2) {
    std::rotate(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(first_), entries.end());
    size_ -= first_;
    next_ -= first_;
    first_ = 0;
  }
  if (size_ == entries.size()) entries.emplace_back();
  Entry& entry = entries[size_++];
  if (size_ <= used_) entry.Clear();
  used_ = std::max(used_, size_);
  entry.kind = kind;
  entry.begun = false;
  entry.counts = kind == Entry::Kind::kQuery || kind == Entry::Kind::kExecute;
  entry.coming = coming().request;
  entry.places = coming().places;
  entry.rows = entry.bytes = entry.data_rows = 0;
  return entry;
}

void StatementWatch::OnRequest(wire::Frame frame, wire::Bytes in, const SessionState& state,
                               const wire::Parameters& settings) {
  if (client_ == nullptr || lost_) return;
  if (skipping_ && frame.type != frontend::kSync) return;
  lost_ = size_ - next_ >= kMostEntries;
  if (lost_) return;
  // All of its body that is at hand, which is mostly the whole.
  const size_t body = frame.offset + wire::kHeaderSize;
  frame.head = in.subspan(body, std::min<size_t>(frame.body_length, in.size() - body));
  switch (frame.type) {
    case frontend::kQuery: {
      Asked& asked = Push(Entry::Kind::kQuery).asked;
      if (size_ - next_ > kMostWithText) return;
      const std::string_view text = wire::AsText(frame.head);
      asked.text.assign(text.substr(0, text.find('\0')));
      asked.cut = !frame.whole();
      // Whoever sends it has just looked, so that it is at hand.
      if (!asked.cut) asked.facts = tools_.statements.Find(asked.text, settings.standard_strings());
      return;
    }
    case frontend::kParse:
      batch_open_ = true;
      return OnParse(frame);
    case frontend::kBind:
      batch_open_ = true;
      return OnBind(frame, state);
    case frontend::kExecute:
      batch_open_ = true;
      return OnExecute(frame);
    case frontend::kSync:
      skipping_ = false;
      Push(Entry::Kind::kSync);
      return;
    case frontend::kFunctionCall:
      Push(Entry::Kind::kCall);
      return;
    default:
      return;
  }
}

void StatementWatch::OnRequests(wire::Bytes requests, const SessionState& state,
                                const wire::Parameters& settings) {
  wire::FrameScanner scanner(wire::ClientHead);
  wire::Frame frame;
  size_t position = 0;
  while (scanner.Next(requests, position, frame) == wire::FrameScanner::Step::kFrame) {
    OnRequest(frame, requests, state, settings);
  }
}

void StatementWatch::OnParse(const wire::Frame& frame) {
  Asked& asked = Push(Entry::Kind::kParse).asked;
  wire::ByteReader body(frame.head);
  const auto name = body.Text();
  if (!name.has_value() || size_ - next_ > kMostWithText) return;
  const std::string_view rest = body.rest();
  const size_t end = std::min(rest.find('\0'), rest.size());
  asked.name.assign(*name);
  asked.text.assign(rest.substr(0, end));
  asked.types.assign(rest.substr(std::min(end + 1, rest.size())));
  asked.cut = !frame.whole();
}

// What the client has just prepared without a name; null when that has been answered.
const StatementWatch::Asked* StatementWatch::UnnamedParse() const {
  for (size_t i = size_; i > next_; --i) {
    const Entry& entry = buffers_->entries[i - 1];
    if (entry.kind == Entry::Kind::kParse && entry.asked.name.empty()) return &entry.asked;
    if (entry.kind == Entry::Kind::kSync) return nullptr;
  }
  return nullptr;
}

StatementWatch::Asked& StatementWatch::PortalOf(std::string_view name) {
  if (buffers_ == nullptr) TakeBuffers();
  std::vector<Asked>& portals = buffers_->portals;
  if (portals.empty()) portals.emplace_back();
  if (name.empty()) return portals.front();
  const auto found = std::find_if(portals.begin() + 1, portals.end(),
                                  [&](const Asked& portal) { return portal.portal == name; });
  if (found != portals.end()) return *found;
  if (portals.size() > kMostPortals) portals.erase(portals.begin() + 1);
  Asked& portal = portals.emplace_back();
  portal.portal.assign(name);
  return portal;
}

void StatementWatch::OnBind(const wire::Frame& frame, const SessionState& state) {
  wire::ByteReader body(frame.head);
  const auto portal = body.Text();
  const auto name = body.Text();
  if (!portal.has_value() || !name.has_value()) return;
  Asked& asked = PortalOf(*portal);
  asked.Clear();
  asked.portal.assign(*portal);
  asked.name.assign(*name);
  const std::string_view values = body.rest();
  if (frame.whole() && values.size() <= kMostValues) asked.values.assign(values);
  if (!name->empty()) {
    const StatementRef* const named = state.Find(*name);
    if (named == nullptr) return;
    asked.named = *named;
    asked.facts = (*named)->facts;
    return;
  }
  const SessionState::Unnamed& unnamed = state.unnamed();
  const bool held = unnamed.number != 0 && unnamed.held;
  if (const Asked* const parsed = UnnamedParse(); parsed != nullptr) {
    asked.text.assign(parsed->text);
    asked.types.assign(parsed->types);
    asked.cut = parsed->cut;
    if (held && unnamed.text == parsed->text) asked.facts = unnamed.facts;
  } else if (held) {
    asked.text.assign(unnamed.text);
    asked.types.assign(unnamed.types);
    asked.facts = unnamed.facts;
  }
}

void StatementWatch::OnExecute(const wire::Frame& frame) {
  Entry& entry = Push(Entry::Kind::kExecute);
  const auto portal = wire::ByteReader(frame.head).Text();
  if (!portal.has_value()) return;
  const Asked& bound = PortalOf(*portal);
  if (size_ - next_ <= kMostWithText) {
    entry.asked = bound;
  } else {
    entry.asked.named = bound.named;
    entry.asked.facts = bound.facts;
  }
}

void StatementWatch::TakeAgain(bool anew) {
  ++coming().request.retries;
  if (anew) {
    size_ = next_;
    skipping_ = lost_ = false;
  }
  for (size_t i = next_; i < size_; ++i) ++buffers_->entries[i].coming.retries;
}

// --- answers ---

void StatementWatch::OnReply(char type, wire::Bytes head, size_t size, TimePoint now) {
  Entry* entry = Next();
  if (entry == nullptr || IsUnasked(type)) return;
  entry->bytes += size;
  if (type == backend::kParseComplete) {
    if (entry->kind == Entry::Kind::kParse) EndNext(TimePoint());
    return;
  }
  if (!entry->begun) {
    entry->begun = true;
    // What was answered in one piece with something of pgweir's own can't be told from it.
    const bool turned = turn_at_ != TimePoint() && !(own_turn_ && turn_at_ == now);
    if (turned) entry->coming.timer.Mark(Moment::kTurn, turn_at_);
    entry->coming.timer.Mark(Moment::kFirstByte, now);
  }
  switch (type) {
    case backend::kDataRow:
      ++entry->data_rows;
      return;
    case backend::kCommandComplete:
      if (const auto tag = wire::ReadCommandTag(head); tag.ok()) {
        entry->tag.assign(*tag);
        entry->rows += RowsOf(*tag);
      }
      if (entry->kind == Entry::Kind::kExecute) EndNext(now);
      return;
    case backend::kEmptyQueryResponse:
      if (entry->kind == Entry::Kind::kExecute) EndNext(now);
      return;
    case backend::kPortalSuspended:
      entry->tag = "SELECT";
      entry->rows += entry->data_rows;
      if (entry->kind == Entry::Kind::kExecute) EndNext(now);
      return;
    case backend::kErrorResponse:
      return OnError(*entry, head, now);
    case backend::kReadyForQuery:
      in_transaction_ = wire::AsText(head) != "I";
      batch_open_ = false;
      return OnReady(now);
    default:
      return;
  }
}

void StatementWatch::OnReplies(std::string_view messages, TimePoint now) {
  wire::FrameScanner scanner(wire::ServerHead);
  wire::Frame frame;
  size_t position = 0;
  while (scanner.Next(wire::AsBytes(messages), position, frame) ==
         wire::FrameScanner::Step::kFrame) {
    OnReply(frame, now);
  }
}

// What follows in its batch is skipped by the server.
void StatementWatch::OnError(Entry& entry, wire::Bytes body, TimePoint now) {
  bool fatal = false;
  entry.sqlstate.assign(sqlstate::kInternalError);
  // Of a long one the end may be missing.
  wire::ByteReader fields(body);
  for (auto code = fields.Byte(); code.has_value() && *code != '\0'; code = fields.Byte()) {
    const auto whole = fields.Text();
    const std::string_view value = whole.value_or(fields.rest());
    if (*code == 'C') entry.sqlstate.assign(value);
    if (*code == 'M') entry.error.assign(value);
    if (*code == 'V') fatal = value == "FATAL" || value == "PANIC";
    if (!whole.has_value()) break;
  }
  // A Sync commits, and fails by what was done before it.
  if (entry.kind == Entry::Kind::kSync && next_ > 0) {
    const Entry& before = buffers_->entries[next_ - 1];
    if (before.kind == Entry::Kind::kExecute) entry.asked = before.asked;
  }
  entry.counts = true;
  if (fatal) {
    EndNext(now);
    size_ = next_;
    return;
  }
  if (entry.kind != Entry::Kind::kParse && entry.kind != Entry::Kind::kExecute) return;
  EndNext(now);
  skipping_ = true;
  while (Next() != nullptr && skipping_) {
    if (Next()->kind == Entry::Kind::kSync) {
      skipping_ = false;
    } else {
      Next()->counts = false;
      ++next_;
    }
  }
}

void StatementWatch::OnReady(TimePoint now) {
  // Of what comes before nothing more is said.
  const auto is_unended = [](const Entry& entry) {
    return entry.kind == Entry::Kind::kParse || entry.kind == Entry::Kind::kExecute;
  };
  while (Next() != nullptr && is_unended(*Next())) {
    Next()->counts = false;
    ++next_;
  }
  if (Next() != nullptr) EndNext(now);
}

// The last byte of its answer was read; sent it is a moment later.
void StatementWatch::EndNext(TimePoint now) {
  ++next_;
  if (now == TimePoint()) return;
  turn_at_ = now;
  own_turn_ = false;
}

void StatementWatch::OnHit(const RequestStatement& statement, bool extended, std::string_view tag,
                           size_t bytes, observe::CacheOutcome outcome) {
  if (client_ == nullptr) return;
  coming().request.cache = outcome;
  Entry& entry = Push(extended ? Entry::Kind::kExecute : Entry::Kind::kQuery);
  batch_open_ = false;
  entry.asked.facts = statement.facts;
  entry.asked.text.assign(statement.text);
  if (extended) {
    entry.asked.types.assign(statement.types);
    entry.asked.values.assign(statement.values);
  }
  entry.places = Places();
  entry.tag.assign(tag);
  entry.rows = RowsOf(tag);
  entry.bytes = bytes;
  next_ = size_;
}

void StatementWatch::OnIdle() {
  // A Sync amid a COPY, say, has no answer.
  for (size_t i = next_; i < size_; ++i) buffers_->entries[i].counts = false;
  next_ = size_;
  skipping_ = lost_ = false;
}

void StatementWatch::Fail(Entry& entry, const Status& reason, TimePoint now) {
  entry.sqlstate = SqlStateOf(reason);
  entry.error = MessageOf(reason);
  if (!entry.begun) entry.coming.timer.Mark(Moment::kFirstByte, now);
}

// Each Query by itself, and of a batch what it would have carried out first.
void StatementWatch::OnReject(const Status& reason, TimePoint now) {
  bool failed = false;
  for (; next_ < size_; ++next_) {
    Entry& entry = buffers_->entries[next_];
    if (entry.kind == Entry::Kind::kSync) failed = false;
    if (entry.kind == Entry::Kind::kExecute) entry.counts = !std::exchange(failed, true);
    if (entry.counts) Fail(entry, reason, now);
  }
  batch_open_ = skipping_ = false;
}

void StatementWatch::OnEnd(const Status& reason, TimePoint now) {
  while (Next() != nullptr && !Next()->counts) ++next_;
  if (Next() == nullptr) return;
  Fail(*Next(), reason, now);
  size_ = ++next_;
}

// --- the end ---

// With the next request everything begins anew: when it was received, and where it goes.
void StatementWatch::Rest() {
  if (coming_ == nullptr || first_ < size_) return;
  coming_->places.nodes.clear();
  GiveSpare(tools_.spare_coming, coming_);
}

void StatementWatch::Blocked() {
  if (client_ != nullptr && blocked_at_ == TimePoint()) blocked_at_ = Clock::now();
}

void StatementWatch::Sent(const wire::Parameters& settings) {
  const TimePoint now = Clock::now();
  if (blocked_at_ != TimePoint()) {
    // Of one under way as well: its server isn't read meanwhile.
    const Duration blocked = now - std::exchange(blocked_at_, TimePoint());
    for (size_t i = first_; i < std::min(next_ + 1, size_); ++i) {
      buffers_->entries[i].coming.timer.AddBlocked(blocked);
    }
  }
  for (; first_ < next_; ++first_) {
    Entry& entry = buffers_->entries[first_];
    if (entry.counts) Tell(entry, now, settings);
  }
  if (first_ < size_) return;
  first_ = next_ = size_ = 0;
  turn_at_ = TimePoint();
  // Portals live as long as their transaction.
  if (!in_transaction_ && !batch_open_) GiveBuffersBack();
}

StatementWatch::Entry* StatementWatch::Next() {
  return next_ < size_ ? &buffers_->entries[next_] : nullptr;
}

void StatementWatch::TakeBuffers() { buffers_ = TakeSpare(tools_.spare_buffers); }

void StatementWatch::GiveBuffersBack() {
  if (buffers_ == nullptr) return;
  if (buffers_->entries.size() > kKeptEntries) buffers_->entries.resize(kKeptEntries);
  for (size_t i = 0; i < std::min<size_t>(used_, buffers_->entries.size()); ++i) {
    buffers_->entries[i].Clear();
  }
  used_ = 0;
  if (buffers_->portals.size() > 1) buffers_->portals.resize(1);
  for (Asked& portal : buffers_->portals) portal.Clear();
  GiveSpare(tools_.spare_buffers, buffers_);
}

void StatementWatch::Tell(Entry& entry, TimePoint now, const wire::Parameters& settings) {
  const observe::ClientFacts client = client_->Facts();
  observe::StatementTimer& timer = entry.coming.timer;
  timer.Mark(Moment::kLastByte, now);
  const Asked& asked = entry.asked;
  observe::StatementRecord record;
  record.client = &client;
  record.times = timer.Split();
  record.text = asked.sql();
  record.extended = entry.kind != Entry::Kind::kQuery;
  record.prepared_name = asked.name;
  record.portal_name = asked.portal;
  record.tag = entry.tag;
  record.number = ++number_;
  record.nodes = entry.places.nodes;
  record.shards = entry.places.bits;
  record.role = entry.places.role;
  record.backend_pid = entry.places.server_pid;
  record.cache = entry.coming.cache;
  record.rows = entry.rows;
  record.bytes = entry.bytes;
  record.retries = entry.coming.retries;
  record.sqlstate = entry.sqlstate;
  record.error = entry.error;
  tools_.observer.Take(record,
                       {.now = now,
                        .facts = asked.facts.get(),
                        .cut = asked.cut,
                        .types = asked.named != nullptr ? std::string_view(asked.named->types)
                                                        : std::string_view(asked.types),
                        .values = asked.values,
                        .symbol = entry.coming.symbol,
                        .settings = settings,
                        .client = *client_});
}

}  // namespace pgweir::proxy
