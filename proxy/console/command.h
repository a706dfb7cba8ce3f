#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "proxy/console/table.h"

namespace pgweir::proxy {

// One statement of the console's little language, understood.
struct Command {
  enum class Kind : uint8_t {
    kEmpty,
    kShow,         // a table; `name` in small letters
    kShowSetting,  // one of a session's settings: `name`, and its `value`
    kSelectOne,
    kSet,      // `name` and `value`
    kIgnored,  // what drivers say of their session; `name` is the tag
    kBegin,
    kEnd,  // likewise
    kPause,
    kResume,
    kDisable,
    kEnable,
    kKill,
    kKillClient,
    kReconnect,
    kReload,
    kWaitClose,
    kSuspend,
    kShutdown,
    kExplainRoute,  // `value`, SQL
    kExplainCache,  // likewise
    kCacheWarm,     // by the statements of the file `value`, as the user `name`; "" = its own
    kCacheFlush,    // of `name` (database, table, rule, digest; "" = all of it) the one `value`
    kForget,        // what has been noted of `name`: digests, slow, symbols
    kSetShard,      // the pattern `name` to the node `value`
    kDropShard,     // `name`
  };
  Kind kind = Kind::kEmpty;
  std::string name = {};  // "" where there is none
  std::string value = {};
  std::string_view column = {};  // of a kShowSetting: the name, for good
  std::string database = {};     // that these mean; "" = the only one there is
};

// The statements of a text, without the semicolons between them; empty ones are left out.
std::vector<std::string> SplitStatements(std::string_view text);

// The columns of what a session's setting, SELECT 1 or EXPLAIN answers.
Columns OwnColumns(const Command& command);

// The words with which commands other than SHOW and SET begin.
std::vector<std::string_view> CommandWords();

// An error, 08P01, for what is none of the console's.
StatusOr<Command> Understand(std::string_view statement);

}  // namespace pgweir::proxy
