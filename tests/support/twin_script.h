#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the twin test lets clients do, once on direct connections and once through pgweir.

namespace pgweir::test {

enum class TwinAction {
  kConnect,    // closes an older connection of this client first
  kSend,       // and reads the whole answer
  kCancel,     // as kSend, but asks to cancel while the answer is awaited
  kTerminate,  // Terminate, then waits for the end
  kHalfClose,  // ends without Terminate, then waits for the end
  kReset,      // what is sent may still be running: the answer is never read
};

struct TwinStep {
  size_t client = 0;
  TwinAction action = TwinAction::kSend;
  const char* feature = "";
  // kConnect: the start-up packet's parameters.
  std::vector<std::pair<std::string, std::string>> startup = {};
  std::vector<std::string> messages = {};
  // The next step is sent before this one's answer is read; it is another client's.
  bool with_next = false;
  // How many ReadyForQuery come is for the server to know: the answer ends at the one that follows
  // a CloseComplete. Else there is one for each Query, FunctionCall and Sync.
  bool until_close = false;
  // Its messages make sense only together.
  bool whole = false;
};

using TwinScript = std::vector<TwinStep>;

// How many ReadyForQuery answer the step, unless it is `until_close`.
int AnswersOf(const TwinStep& step);

// Readable, a line a message.
std::string ShowStep(const TwinStep& step);
std::string ShowScript(const TwinScript& script);

// Bytes that aren't printable as escapes, zeros as '|'.
std::string ShowBytes(std::string_view bytes);

}  // namespace pgweir::test
