// What a client's statements do to its session, as far as the rewriter must know.

#include <utility>

#include <fmt/format.h>

#include "absl/strings/ascii.h"
#include "proxy/request_rewriter.h"
#include "router/literal_value.h"
#include "wire/byte_reader.h"
#include "wire/messages.h"
#include "wire/transaction_words.h"

namespace pgweir::proxy {
namespace {

using config::OnSessionState;
using pooler::Backend;

// Effects whose outcome the server is asked for: a pin begins or ends.
// Statements of a client in session mode that are known by their names.
constexpr size_t kMostPassed = 1000;
constexpr uint32_t kObjects = router::kListens | router::kTemporary | router::kAdvisoryLock |
                              router::kHoldCursor | router::kPrepares | router::kDiscardsAll;
// These can only end one.
constexpr uint32_t kUnpinning = router::kReleases | router::kDeallocates | router::kDeallocatesAll;

// Whether a text that is not understood, such as a DO block's, may set a setting with a dot in its
// name: the server would not forget that name.
bool MayNameSetting(std::string_view text) {
  std::string lower(text);
  absl::AsciiStrToLower(&lower);
  if (lower.find("set_config") != std::string::npos) return true;
  for (size_t at = 0; (at = lower.find("set ", at)) != std::string::npos; at += 4) {
    const size_t end = lower.find_first_of("=;", at);
    const size_t dot = lower.find('.', at);
    if (dot < end) return true;
  }
  return false;
}

// What the statements would leave on their backend that can't be carried to another; "" = nothing.
// `alone`: a PREPARE is a Query of its own.
std::string_view LeavesBehind(const router::Facts& facts, bool alone) {
  for (const router::StatementFacts& statement : facts.statements) {
    const uint32_t effects = statement.effects | statement.body_effects;
    if ((effects & router::kListens) != 0) return "LISTEN";
    if ((effects & router::kAdvisoryLock) != 0) return "a session-level advisory lock";
    if ((effects & router::kHoldCursor) != 0) return "a cursor WITH HOLD";
    if ((effects & router::kLoads) != 0) return "LOAD";
    if ((effects & router::kTemporary) != 0 && (effects & router::kDdl) != 0) {
      return "a temporary object";
    }
    if ((effects & router::kPrepares) != 0 && !alone) return "PREPARE among other statements";
  }
  return "";
}

}  // namespace

void RequestRewriter::Suspect(const char* reason) {
  backend_->suspect = reason;
  if (on_session_state_ != OnSessionState::kAllow) state_.TouchObjects();
}

// What goes to the server instead is an error in whatever state it is in, and changes as much as
// the refused statement's own error would.
bool RequestRewriter::Refuses(const wire::Frame& frame, const router::Facts& facts) {
  if (on_session_state_ != OnSessionState::kReject || InFailedTransaction()) return false;
  const bool query = frame.type == wire::frontend::kQuery;
  const std::string_view what = LeavesBehind(facts, query && facts.statements.size() == 1);
  if (what.empty()) return false;
  tools_.counts.refusals.Count(what);
  const std::string_view name = query ? "" : wire::ByteReader(frame.head).Text().value_or("");
  SendRefused(frame, frame.end(), name.empty() ? "" : "pgweir", Refusal(what));
  return true;
}

void RequestRewriter::RefuseWith(const wire::Frame& frame, size_t end, Splice& flight,
                                 Backend& backend, const Status& refusal) {
  flight_ = &flight;
  backend_ = &backend;
  if (wire::IsWholeRequest(frame.type)) NextBatch();
  SendRefused(frame, end, "", refusal);
}

// `name` of a statement, for a Parse to fail under.
void RequestRewriter::SendRefused(const wire::Frame& frame, size_t end, std::string_view name,
                                  Status refusal) {
  constexpr std::string_view kNoStatement = "pgweir refuses this";
  std::string& out = flight_->Replace(frame.offset, end);
  Action refused{.kind = Kind::kRefused, .id = 0, .refusal = std::move(refusal)};
  if (wire::IsWholeRequest(frame.type)) {
    wire::AppendQuery(out, kNoStatement);
    return Ask(wire::Request::kQuery, wire::ReplyTracker::Answers::kForward,
               Token(std::move(refused)));
  }
  if (name.empty()) {
    refused.id = tools_.next_unnamed++;
    state_.ReplaceByUnknown(refused.id);
    SetUnnamed(Backend::kUnknownStatement);
  }
  wire::AppendParse(out, name, kNoStatement, std::string_view("\0\0", 2));
  Ask(wire::Request::kParse, wire::ReplyTracker::Answers::kForward, Token(std::move(refused)));
}

void RequestRewriter::Repeat(std::string_view sql, Backend& backend, const wire::Parameters& had,
                             uint32_t token) {
  backend_ = &backend;
  had_ = &had;
  bound_ = {};
  const router::FactsRef facts = Understand(sql);
  NoteUnseen(facts);
  Note(*facts, facts->effects, sql);
  Ask(wire::Request::kQuery, wire::ReplyTracker::Answers::kSwallow, token);
  SetUnnamed(Backend::kNoStatement);
}

Status RequestRewriter::Refusal(std::string_view what) {
  return Errorf(sqlstate::kFeatureNotSupported,
                "{} can't be carried from one server connection to another, and "
                "pool.on_session_state is \"reject\": use a pool in session mode for it",
                what);
}

void RequestRewriter::TransactionOver() {
  changed_settings_ = false;
  if (std::exchange(changed_catalog_, false)) catalog_->MarkStale();
}

void RequestRewriter::NoteUnseen(const router::FactsRef& facts) {
  const router::SessionVerdict verdict = tools_.catalogs.OfSession(*catalog_, facts);
  if (verdict != router::SessionVerdict::kNo) Suspect(router::Describe(verdict).data());
}

void RequestRewriter::NoteExecution(const Statement& statement) {
  NoteUnseen(statement.facts);
  uint32_t effects = statement.facts->effects;
  if (statement.name_at != std::string::npos && !statement.facts->statements.empty()) {
    effects = statement.facts->statements.front().body_effects;
  }
  if (effects != router::kNoEffect) Note(*statement.facts, effects, statement.text);
}

void RequestRewriter::Note(const router::Facts& facts, uint32_t effects, std::string_view text) {
  NoteCommit(effects, text);
  if ((effects & router::kSetsSetting) != 0) NoteSettings(facts, text);
  if ((effects & router::kResetsAll) != 0) state_.TouchAllSettings();
  if ((effects & router::kDeallocatesAll) != 0 && !bound_.empty()) closes_all_ = true;
  if ((effects & kObjects) != 0 && on_session_state_ != OnSessionState::kAllow) {
    state_.TouchObjects();
  }
  if ((effects & kUnpinning) != 0 && state_.pin() != nullptr) state_.TouchObjects();
  if ((effects & router::kLoads) != 0 && on_session_state_ == OnSessionState::kPin) state_.Loaded();
  if ((effects & router::kDdl) != 0) NoteDdl();
  if ((effects & router::kSequenceState) != 0 && on_session_state_ == OnSessionState::kPin) {
    state_.PinForGood("currval, lastval");
  }
  if ((effects & router::kUnseen) != 0) {
    Suspect(facts.not_understood.empty() ? "DO, CALL" : "statement not understood");
    if (MayNameSetting(text)) backend_->custom_settings = Backend::kUnknownSettings;
  }
}

void RequestRewriter::NoteCommit(uint32_t effects, std::string_view text) {
  if ((effects & router::kCommits) != 0) commit_sent_ = true;
  if ((effects & router::kUnseen) != 0 && wire::MayCommit(text)) commit_sent_ = true;
}

// Of a text that is too long to be understood, as far as it is here.
void RequestRewriter::NoteCommitInLong(const wire::Frame& frame) {
  if (wire::MayCommit(wire::AsText(frame.head))) commit_sent_ = true;
}

// Where the client's search_path has it, what is created may be temporary without a word of that.
void RequestRewriter::NoteDdl() {
  changed_catalog_ = true;
  if (on_session_state_ == OnSessionState::kAllow) return;
  const std::string* path = had_->FindUnreported("search_path");
  if (path != nullptr && path->find("pg_temp") != std::string::npos) state_.TouchObjects();
}

void RequestRewriter::NoteDeallocation(std::string_view portal, std::string_view name) {
  if (name.empty() && (deallocates_.empty() || portal != deallocates_by_)) return;
  deallocates_ = name;
  deallocates_by_ = portal;
}

uint32_t RequestRewriter::CloseWhatItEnds(std::string_view portal) {
  std::string name;
  if (portal == deallocates_by_) name = std::exchange(deallocates_, {});
  if (std::exchange(closes_all_, false)) return CloseAll();
  const StatementRef* const found = name.empty() ? nullptr : state_.Find(name);
  if (found == nullptr) return 0;
  const uint32_t token = Token({Kind::kCloseName, (*found)->id, *found, name});
  state_.Remove(name);
  return token;
}

// They are doubted, not forgotten: the server may skip it, and then they are there.
uint32_t RequestRewriter::CloseAll() {
  backend_->prepared.DoubtAll();
  return Token({Kind::kCloseAll, 0, nullptr, {}, state_.RemoveAll()});
}

void RequestRewriter::NotePassing(const wire::Frame& frame, Backend& backend,
                                  const wire::Parameters& had) {
  constexpr uint32_t kForgets =
      router::kDeallocates | router::kDeallocatesAll | router::kDiscardsAll;
  wire::ByteReader body(frame.head);
  if (frame.type == wire::frontend::kClose) {
    if (body.Byte() == 'S') own_.passed->Remove(body.Text().value_or(""));
    return;
  }
  if (frame.type == wire::frontend::kBind) return NotePassingBind(body);
  const bool parse = frame.type == wire::frontend::kParse;
  if (!parse && frame.type != wire::frontend::kQuery) return;
  const std::string_view name = parse ? body.Text().value_or("") : std::string_view();
  const std::string_view text = body.Text().value_or("");
  if (!frame.whole()) NoteCommitInLong(frame);
  const router::FactsRef facts = tools_.statements.Find(text, had.standard_strings());
  if (parse) {
    NotePassed(name, frame.whole() ? text : std::string_view(), body.rest(), facts);
  } else {
    NoteCommit(facts->effects, text);
    if ((facts->effects & kForgets) != 0 || !frame.whole()) own_.passed->RemoveAll();
  }
  for (const router::SettingEffect& effect : facts->settings) {
    const std::string setting = router::SettingName(effect, text, tools_.statements.scan());
    if (setting.empty() || wire::LeavesItsName(setting)) {
      backend.custom_settings = Backend::kUnknownSettings;
    }
  }
}

void RequestRewriter::NotePassingBind(wire::ByteReader body) {
  body.Text();
  const std::string_view name = body.Text().value_or("");
  const SessionState::Unnamed& unnamed = own_.passed->unnamed();
  if (name.empty()) {
    if (unnamed.facts != nullptr) NoteCommit(unnamed.facts->effects, unnamed.text);
    return;
  }
  const StatementRef* const named = own_.passed->Find(name);
  if (named != nullptr) return NoteCommit((*named)->facts->effects, (*named)->text);
  commit_sent_ = true;  // nobody knows what it is
}

void RequestRewriter::NotePassed(std::string_view name, std::string_view text,
                                 std::string_view types, const router::FactsRef& facts) {
  if (name.empty() && text.empty()) return own_.passed->DropUnnamed();
  if (name.empty()) return own_.passed->KeepUnnamed(tools_.next_unnamed++, text, types, facts);
  own_.passed->Remove(name);
  if (text.empty()) return;
  if (own_.passed->named() >= kMostPassed) own_.passed->RemoveAll();
  auto statement = std::make_shared<Statement>();
  statement->text.assign(text);
  statement->types.assign(types);
  statement->facts = facts;
  own_.passed->Add(name, std::move(statement));
}

// The setting's name: of the text, one of its literals, or a value that is bound. "" = not known.
std::string RequestRewriter::NameOf(const router::SettingEffect& effect, std::string_view text) {
  if (effect.name_parameter > 0) {
    std::string name(wire::ReadBindParameter(bound_, effect.name_parameter).value_or(""));
    absl::AsciiStrToLower(&name);
    return name;
  }
  if (effect.name_literal >= 0) tools_.statements.Find(text, had_->standard_strings());
  return router::SettingName(effect, text, tools_.statements.scan());
}

// What the server reports by itself needs no asking, nor what ends with the transaction: but for a
// name with a dot, which the session has from then on.
void RequestRewriter::NoteSettings(const router::Facts& facts, std::string_view text) {
  changed_settings_ = true;
  for (const router::SettingEffect& effect : facts.settings) {
    std::string name = NameOf(effect, text);
    if (name.empty()) {
      Suspect("set_config of a computed name");
      continue;
    }
    if (name == "standard_conforming_strings") reading_changes_ = true;
    const bool custom = wire::LeavesItsName(name);
    if (wire::IsReportedAndSettable(name) && had_->Find(name) != nullptr) {
      if (effect.reset && !effect.local) state_.NoteReset(std::move(name));
      continue;
    }
    if (effect.local && (!custom || had_->FindUnreported(name) != nullptr)) continue;
    if (name == "session_authorization") state_.TouchSetting("role", effect.reset);
    state_.TouchSetting(std::move(name), effect.reset);
  }
}

}  // namespace pgweir::proxy
