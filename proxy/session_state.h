#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/strings.h"
#include "proxy/statement_store.h"
#include "router/statement_facts.h"
#include "wire/parameters.h"

namespace pgweir::proxy {

// What a client has built up in its session, so that it finds it again on whichever backend serves
// it next. (docs/sessions.md says what is carried, what is pinned and what is refused.)
//
// Nothing is computed from statements' texts: they only say what may have changed. When the
// transaction is over, the server is asked what has. So rollbacks, savepoints and errors need no
// model of ours.
class SessionState {
 public:
  // --- prepared statements (PostgreSQL documentation, "Extended Query") ---

  // The named ones; null when there is none of this name.
  const StatementRef* Find(std::string_view name) const;
  size_t named() const { return named_.size(); }
  void Add(std::string_view name, StatementRef statement);
  void Remove(std::string_view name);
  // All of them; returned for the case that the server does not.
  using Names = absl::flat_hash_map<std::string, StatementRef, StringHash, StringEq>;
  Names RemoveAll();
  // Those of these names that have not been taken since.
  void GiveBack(Names names);
  // What the client calls the statement of this number: of several names the one with this hash (as
  // HashOf makes it), if it has that one. "" when it has none.
  std::string_view NameOf(uint64_t id, size_t hash) const;
  static size_t HashOf(std::string_view name) { return Names::hasher()(name); }

  // The unnamed one, which is never shared: what the newest Parse of it says, until that fails.
  struct Unnamed {
    uint64_t number = 0;  // of all clients' unnamed statements; 0 = there is none
    bool held = true;     // `text` is all of it; else it was too long to keep
    std::string text;
    std::string types;
    std::string deallocates;  // the statement of this name; "" = none
    router::FactsRef facts;
    NumberedStatementRef numbered;  // what servers have of it in its place; null = itself

    bool is_numbered() const { return number != 0 && numbered != nullptr; }
  };
  const Unnamed& unnamed() const {
    const Unnamed& newest = coming_.empty() ? Present() : *coming_.back();
    return newest.number != 0 && newest.number == closing_ ? none_ : newest;
  }
  // A Parse of it is sent; its end decides whether it takes the older one's place.
  Unnamed& Replace(uint64_t number);
  // Likewise one of which nothing is known but that.
  void ReplaceByUnknown(uint64_t number);
  void Replaced(uint64_t number, bool done, bool skipped);
  void DropUnnamed();
  // It was answered in the server's place, which has it nowhere yet.
  void KeepUnnamed(uint64_t number, std::string_view text, std::string_view types,
                   router::FactsRef facts);
  // A Close of it is sent; then it was carried out, or not.
  void CloseUnnamed();
  void UnnamedClosed(uint64_t number, bool done);

  // --- what is to be asked when the transaction is over ---

  // The settings of the client's login, to which RESET goes back, and those that every client's
  // would have; set once.
  void set_login(wire::ParametersRef login, wire::ParametersRef everybodys) {
    login_ = std::move(login);
    everybodys_ = std::move(everybodys);
  }
  // The transaction is over, and the server has said what there is: the client's settings, in which
  // what it has RESET is as at its login. The same object when nothing is.
  wire::ParametersRef AfterResets(const wire::ParametersRef& now);

  // A statement is sent that may change these.
  void TouchSetting(std::string name, bool reset);
  void NoteReset(std::string name) { changes().resets.push_back(std::move(name)); }
  void TouchAllSettings();
  void TouchObjects() { objects_touched_ = true; }
  bool touched() const { return objects_touched_ || touched_settings(); }
  bool touched_settings() const {
    return all_touched_ || (changes_ != nullptr && !changes_->touched.empty());
  }
  bool has_resets() const {
    return all_reset_ || (changes_ != nullptr && !changes_->resets.empty());
  }
  // The question, one statement; and its answer, a row of as many columns. Returns what the session
  // has set now, given what it had.
  std::string Question(const wire::Parameters& had);
  std::vector<wire::Setting> TakeAnswer(const wire::Parameters& had,
                                        const std::vector<std::optional<std::string>>& row);

  // --- what can't be carried ---

  // Why the session keeps its backend; null = it need not.
  const char* pin() const { return pin_; }
  // It is not to be kept there for what the server said; returns what that was, or null.
  const char* Unpin() { return for_good_ ? nullptr : std::exchange(pin_, nullptr); }
  // For good, whatever the server says later.
  void PinForGood(const char* reason) { pin_ = reason, for_good_ = true; }
  // A library was loaded, which no server unloads: the backend serves nobody else.
  void Loaded() { PinForGood("LOAD"), loaded_ = true; }
  bool loaded() const { return loaded_; }

 private:
  struct Touched {
    std::string name;
    bool reset;  // by the last statement that touched it
  };
  // To settings, by statements of the transaction.
  struct Changes {
    std::vector<Touched> touched;
    // Names that one reset, or all, which the server did not have to be asked for.
    std::vector<std::string> resets;
  };
  Changes& changes() {
    if (changes_ == nullptr) changes_ = std::make_unique<Changes>();
    return *changes_;
  }

  const Unnamed& Present() const { return unnamed_ == nullptr ? none_ : *unnamed_; }

  Names named_;
  // Of clients that never prepare one there is no memory for it.
  std::unique_ptr<Unnamed> unnamed_;              // null = there was none yet
  std::vector<std::unique_ptr<Unnamed>> coming_;  // Parses of it that are not answered, in order
  std::unique_ptr<Unnamed> spare_;                // whose memory is used again
  uint64_t closing_ = 0;  // the number of the one that a Close may have ended
  static const Unnamed none_;
  wire::ParametersRef login_;
  wire::ParametersRef everybodys_;
  std::unique_ptr<Changes> changes_;  // null = there was none yet
  bool all_reset_ = false;
  bool all_touched_ = false;
  bool objects_touched_ = false;
  bool asked_objects_ = false;
  bool for_good_ = false;
  bool loaded_ = false;
  const char* pin_ = nullptr;
};

}  // namespace pgweir::proxy
