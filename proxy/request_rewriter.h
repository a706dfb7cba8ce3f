#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "config/config.h"
#include "pooler/backend.h"
#include "proxy/belongings.h"
#include "proxy/edited_text.h"
#include "proxy/numbered_statement.h"
#include "proxy/part_text.h"
#include "proxy/prepared_names.h"
#include "proxy/splice.h"
#include "proxy/statistics.h"
#include "proxy/worker_tools.h"
#include "wire/byte_reader.h"
#include "wire/frame_scanner.h"
#include "wire/parameters.h"

namespace pgweir::proxy {

// Translates what a client says about its statements into what its present backend has of them, and
// notes what they do to the session. A client's statements live on servers under names of ours, the
// same for every client that prepares the same; one that the backend lacks is prepared in the same
// flight as the request that needs it.
//
// Every request passes here on its way, and is announced to the backend's tracker here. Nothing is
// answered in the server's place: what is spared is replaced by something that the server answers
// cheaply at the same point, so that order, errors and what is skipped behind them stay its own.
class RequestRewriter {
 public:
  struct Buffers;

  // What the client does is counted by `counters`.
  RequestRewriter(WorkerTools& tools, StatementStore& store, Belongings& own, Counters& counters,
                  Buffers& buffers);

  // Those of the client's next request, which may come more than once; and what a statement that
  // it carries out on several nodes says on this one.
  void Give(const NumbersGiven& numbers, const PartText& part) {
    given_ = numbers;
    AssignMostlyNothing(part_.whole, part.whole);
    AssignMostlyNothing(part_.here, part.here);
  }
  // A request, or a part of one, follows.
  void BeginRequest() { next_given_ = 0; }
  // The transaction is over. If it changed the catalog, what is known is to be asked for anew.
  void TransactionOver();

  // The client's request `frame` goes to `backend`; `had` are the client's settings. False when it
  // has to wait until what was sent before is answered: only then is it known which statements
  // there are.
  bool Take(const wire::Frame& frame, Splice& flight, pooler::Backend& backend,
            const wire::Parameters& had);

  // A statement of the client's is carried out once more, unseen, and does to its session what it
  // did before. The caller sends it.
  void Repeat(std::string_view sql, pooler::Backend& backend, const wire::Parameters& had,
              uint32_t token);

  // In place of the client's request the server gets something that it refuses at the same point;
  // the client is told `refusal`. in[frame.offset, end) of the flight is the request.
  void RefuseWith(const wire::Frame& frame, size_t end, Splice& flight, pooler::Backend& backend,
                  const Status& refusal);

  // In session mode nothing is translated; but a backend that learns a name with a dot must not be
  // handed on, because its server doesn't forget it.
  void NotePassing(const wire::Frame& frame, pooler::Backend& backend, const wire::Parameters& had);

  // What the tracker says of the requests above. `stale_plan`: by the error that a statement's
  // result type has changed since it was prepared.
  void Settle(const wire::ReplyTracker::Settled& settled, pooler::Backend& backend,
              bool stale_plan);
  // Nothing is outstanding any more.
  void Forget();
  // All that is outstanding was lost with its backend.
  void Abandon(pooler::Backend& backend);

  // Whether something has been sent, since this was asked last, that ends a transaction by making
  // it last, or may: when its answer is lost, nobody knows whether it did.
  bool TakeCommitSent() { return std::exchange(commit_sent_, false); }

  // Whether a prepared statement under a name of ours is part of what is outstanding.
  bool uses_prepared() const;

  // What the client is told instead of an error with this body, of the request with this token:
  // with its own names of statements instead of ours. "" when the error is to pass as it is.
  std::string ErrorInstead(std::string_view body, uint32_t token) const;

  // The server's error, with this body, of a request of ours that the client does not see.
  void NoteOwnError(std::string_view body, uint32_t token);

  // The parameters of the statement that was asked about by the request with this token, in place
  // of those that the server tells with this body. "" when these are the client's.
  std::string DescriptionInstead(std::string_view body, uint32_t token) const;

  // Requests with a token below are not from here.
  static constexpr uint32_t kFirstToken = 16;

 private:
  enum class Kind : uint8_t {
    kParse,       // of a client's statement under our name
    kShadow,      // the same, unseen, because a Bind or Describe needs it
    kEvict,       // a Close of one that has not been used for long
    kUse,         // a Bind or Describe
    kUseUnnamed,  // the same, of the unnamed statement with numbers
    kTaken,       // a Parse or PREPARE of a name that there is already
    kUnnamed,     // a Parse of the unnamed statement
    kCloseUnnamed,
    kNoUnnamed,  // a Close of it, unseen, so that another client's is not met
    kCloseName,  // a client's Close
    kCloseAll,   // DEALLOCATE ALL, DISCARD ALL
    kRenamed,    // a Query with our names or numbers in it
    kRefused,    // something that the server does not know, in place of what is refused
    kOver,       // settled
  };
  struct Action {
    Kind kind;
    uint64_t id;
    StatementRef statement = nullptr;
    std::string name = {};
    SessionState::Names names = {};  // that a kCloseAll takes
    std::vector<TextShift> shifts = {};
    Status refusal = absl::OkStatus();        // of a kRefused
    size_t name_hash = 0;                     // of a kUse: of the client's name for it
    NumberedStatementRef numbered = nullptr;  // of a use
  };
  static Action Use(const Statement& statement, std::string_view name) {
    return {.kind = Kind::kUse,
            .id = statement.id,
            .name_hash = SessionState::HashOf(name),
            .numbered = statement.numbered};
  }

  static Action Use(const SessionState::Unnamed& unnamed) {
    return {.kind = Kind::kUseUnnamed, .id = 0, .numbered = unnamed.numbered};
  }

  void NextBatch();
  void OnQuery(const wire::Frame& frame);
  void OnParse(const wire::Frame& frame);
  void OnParseUnnamed(const wire::Frame& frame, std::string_view text, std::string_view types);
  void OnParseNamed(const wire::Frame& frame, std::string_view name, std::string_view text,
                    std::string_view types);
  void OnBind(const wire::Frame& frame);
  void OnDescribeOrClose(const wire::Frame& frame);
  void OnDescribeStatement(const wire::Frame& frame, std::string_view name);
  void OnCloseStatement(const wire::Frame& frame, std::string_view name);
  void OnFunctionCall(const wire::Frame& frame);

  static bool Names(Kind kind) {
    return kind == Kind::kParse || kind == Kind::kCloseName || kind == Kind::kCloseAll;
  }
  // SQL that names prepared statements.
  static constexpr uint32_t kNamesInSql =
      router::kPrepares | router::kExecutes | router::kDeallocates;

  bool MustWait(const wire::Frame& frame) const;
  router::FactsRef Understand(std::string_view text);
  bool SettingsKnown() const;
  std::string AnalysisKey();
  StatementRef ForThisBackend(std::string_view name, const StatementRef& named);
  // What the statement with this text says on this node in its place; null = that.
  const std::string* PartOf(std::string_view text) const;
  StatementRef PartOf(std::string_view name, StatementRef statement);
  void SetUnnamed(uint64_t number);
  // For the Execute of what is bound as `portal`, which may end statements.
  uint32_t CloseWhatItEnds(std::string_view portal);
  // For the request that ends all prepared statements.
  uint32_t CloseAll();
  // The name of a client's that is none of ours, as the server is to know it.
  static std::string Foreign(std::string_view name);

  // Where such statements are refused, and this one would keep its session on the backend: makes
  // the server refuse it, at its place among the others.
  bool Refuses(const wire::Frame& frame, const router::Facts& facts);
  static Status Refusal(std::string_view what);
  void SendRefused(const wire::Frame& frame, size_t end, std::string_view name, Status refusal);

  void Ask(wire::Request request,
           wire::ReplyTracker::Answers answers = wire::ReplyTracker::Answers::kForward,
           uint32_t token = 0);
  uint32_t Token(Action action);
  void DropSettled();

  // What the client's statement of this name is called on the backend.
  static std::string ServerName(const Statement& statement, std::string_view name);
  // The statement of this name is made on the backend under that very name: the session stays
  // there.
  void KeepHere(std::string_view name, const char* reason);
  // Likewise one that SQL makes where it is not by itself in a Query; `text` is all of that SQL.
  void KeepPrepared(const PreparedName& use, std::string_view text, const router::FactsRef& facts);

  // Makes the backend have the statement before the request at `at`, in the batch that it is part
  // of.
  void Ensure(const Statement& statement, size_t at);
  // Likewise before a Query.
  void EnsureForQuery(const Statement& statement, size_t at);
  void EnsureUnnamed(size_t at);
  void MakeRoom(size_t at);
  // Before a statement that asks for what nextval gave last: another client's is not to be met.
  void ForgetSequences(const router::Facts& facts, size_t at);
  void CloseSwallowed(std::string_view name, size_t at, uint32_t token);
  bool MayPretend() const;
  bool InFailedTransaction() const;

  // --- names of statements in SQL (sql_names.cc) ---
  // Sends the Query with our names in it. False when there is none to be replaced.
  bool OnQueryWithNames(const wire::Frame& frame, const router::FactsRef& facts,
                        std::string_view text);
  void OnSqlPrepare(const wire::Frame& frame, const router::Facts& facts, std::string_view text,
                    const PreparedName& use);
  // The text of a Parse with our names in it; "" when there is none to be replaced. `deallocates`:
  // the client's name of the statement that it will end.
  std::string ReplaceNamesInBatch(std::string_view text, const router::FactsRef& facts, size_t at,
                                  std::string& deallocates);
  void MakeExpendable(std::string_view name, size_t at, wire::ReplyTracker::Answers answers);

  // --- numbers that INSERTs leave to sequences (sql_numbers.cc) ---
  // What it leaves to them now; null = nothing.
  router::DrawnNumbersRef Drawn(const router::FactsRef& facts) const;
  // The statement with such numbers; null when it needs none.
  NumberedStatementRef Numbered(const router::FactsRef& facts, std::string_view text,
                                std::string_view types);
  bool IsNumberedAsNow(const Statement& statement) const;
  // Sends the Query with its numbers in it. False when it has none.
  bool OnQueryWithNumbers(const wire::Frame& frame, std::string_view text);
  // Numbers are needed by what the client has bound, but it was prepared before they were. Then the
  // Bind is refused.
  bool RefusesUnnumbered(const wire::Frame& frame, const router::FactsRef& facts);
  // Sends the Bind with numbers. False when it is refused.
  bool SendNumberedBind(const wire::Frame& frame, std::string_view server_name,
                        const NumberedStatement& statement);

  void NotePassingBind(wire::ByteReader body);
  void NotePassed(std::string_view name, std::string_view text, std::string_view types,
                  const router::FactsRef& facts);
  // A statement with these facts is sent; of its effects count these.
  void Note(const router::Facts& facts, uint32_t effects, std::string_view text);
  void NoteExecution(const Statement& statement);
  // What is bound as `portal` ends the statement of this name; "" = none.
  void NoteDeallocation(std::string_view portal, std::string_view name);
  void NoteCommit(uint32_t effects, std::string_view text);
  void NoteCommitInLong(const wire::Frame& frame);
  void NoteDdl();
  void NoteSettings(const router::Facts& facts, std::string_view text);
  // What the statement may do unseen, by what the catalog says of the names in it.
  void NoteUnseen(const router::FactsRef& facts);
  // The one with this token, or null.
  const Action* Asked(uint32_t token) const;
  // Whether the error with this body says that the statement is missing which could not be
  // prepared.
  bool LacksWhatFailed(std::string_view body) const;
  // The body of an error, of what is `asked`; "" when it has no name of ours, and no position in a
  // text with such names.
  std::string InClientsNames(std::string_view body, const Action* asked) const;
  std::string NameOf(const router::SettingEffect& effect, std::string_view text);
  void Suspect(const char* reason);

  WorkerTools& tools_;
  StatementStore& store_;
  Counters& counters_;
  Belongings& own_;
  SessionState& state_;
  const NodeCatalogRef& catalog_;
  const router::ShardMapRef& map_;
  NumbersGiven given_;
  PartText part_;
  size_t next_given_ = 0;
  bool changed_catalog_ = false;
  bool changed_settings_ = false;  // in this transaction, if only for it
  const size_t max_prepared_;  // statements that a backend holds before the oldest one is closed
  const config::OnSessionState on_session_state_;
  std::vector<Action>& actions_;
  // Statements that stand for the client's of these names, by number; of several alike those that
  // SQL names.
  std::vector<std::pair<uint64_t, std::string>>& stand_ins_;
  // Why the server would not prepare a statement before the Query that needs it, and the
  // statement's number.
  std::string shadow_error_;
  uint64_t shadow_error_of_ = 0;
  uint32_t first_token_ = kFirstToken;  // of actions_.front()
  bool fresh_ = true;                   // nothing of the client's has gone to the backend yet
  bool closes_all_ = false;             // what is bound does
  // What is bound as that portal ends the statement of this name; "" = none.
  std::string deallocates_, deallocates_by_;
  bool commit_sent_ = false;
  bool reading_changes_ = false;  // standard_conforming_strings may change with what is outstanding
  uint64_t unnamed_batch_ = 0;    // in which the backend's unnamed statement changed; 0 = long ago
  bool unnamed_is_part_ = false;  // it says only what it does in this batch
  uint64_t batch_ = 1;
  int naming_ = 0;          // actions under way that change which names there are
  int naming_earlier_ = 0;  // of them, those of earlier batches

  // Of the request at hand.
  Splice* flight_ = nullptr;
  pooler::Backend* backend_ = nullptr;
  const wire::Parameters* had_ = nullptr;
  std::vector<TextShift> shifts_;  // of a Parse
  std::string_view bound_;         // of a Bind, what follows the names, as far as it is here
};

// What a rewriter notes of requests that are under way, and the next one has the memory of.
struct RequestRewriter::Buffers {
  // Memory of more is given back.
  static constexpr size_t kKeptActions = 64;

  std::vector<Action> actions;
  std::vector<std::pair<uint64_t, std::string>> stand_ins;

  void Clear() {
    if (actions.capacity() > kKeptActions) std::vector<Action>().swap(actions);
    actions.clear();
    stand_ins.clear();
  }
};

}  // namespace pgweir::proxy
