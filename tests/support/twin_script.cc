#include "tests/support/twin_script.h"

#include <algorithm>

#include "fmt/format.h"

namespace pgweir::test {
namespace {

std::string_view MessageName(char type) {
  switch (type) {
    case 'Q':
      return "Query";
    case 'P':
      return "Parse";
    case 'B':
      return "Bind";
    case 'D':
      return "Describe";
    case 'E':
      return "Execute";
    case 'C':
      return "Close";
    case 'S':
      return "Sync";
    case 'H':
      return "Flush";
    case 'F':
      return "FunctionCall";
    case 'd':
      return "CopyData";
    case 'c':
      return "CopyDone";
    case 'f':
      return "CopyFail";
    default:
      return "?";
  }
}

std::string_view ActionName(TwinAction action) {
  switch (action) {
    case TwinAction::kConnect:
      return "connects";
    case TwinAction::kSend:
      return "sends";
    case TwinAction::kCancel:
      return "sends and cancels";
    case TwinAction::kTerminate:
      return "terminates";
    case TwinAction::kHalfClose:
      return "half-closes";
    case TwinAction::kReset:
      return "sends and resets the connection";
  }
  return "?";
}

}  // namespace

int AnswersOf(const TwinStep& step) {
  return static_cast<int>(
      std::count_if(step.messages.begin(), step.messages.end(), [](const std::string& message) {
        return message[0] == 'Q' || message[0] == 'S' || message[0] == 'F';
      }));
}

std::string ShowBytes(std::string_view bytes) {
  std::string shown;
  for (char byte : bytes) {
    if (byte == 0) {
      shown += '|';
    } else if (static_cast<uint8_t>(byte) < 32 || static_cast<uint8_t>(byte) >= 127) {
      shown += fmt::format("\\x{:02x}", static_cast<uint8_t>(byte));
    } else {
      shown += byte;
    }
  }
  return shown;
}

std::string ShowStep(const TwinStep& step) {
  std::string text = fmt::format("client {} {} [{}]{}\n", step.client, ActionName(step.action),
                                 step.feature, step.with_next ? ", overlapping the next" : "");
  for (const auto& [name, value] : step.startup) text += fmt::format("    {}={}\n", name, value);
  for (const std::string& message : step.messages) {
    text += fmt::format("    {} {}\n", MessageName(message[0]),
                        ShowBytes(std::string_view(message).substr(5)));
  }
  return text;
}

std::string ShowScript(const TwinScript& script) {
  std::string text;
  for (const TwinStep& step : script) text += ShowStep(step);
  return text;
}

}  // namespace pgweir::test
