#include "tests/support/oracle_script.h"

#include "fmt/format.h"

namespace pgweir::test {

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

std::string ShowStep(const OracleStep& step) {
  constexpr const char* kForms[] = {"simple", "extended", "prepared"};
  std::string shown =
      fmt::format("{};  -- {}, {}{}{}", step.sql, step.kind, kForms[static_cast<size_t>(step.form)],
                  step.binary_result ? ", binary result" : "", step.decided ? ", decided" : "");
  for (const auto& values : step.executions) {
    for (size_t i = 0; i < values.size(); ++i) {
      shown += fmt::format("{}${} = {} (type {}{})", i == 0 ? "\n  -- with " : ", ", i + 1,
                           values[i].null ? "null" : values[i].shown, step.types[i],
                           values[i].binary ? ", binary" : "");
    }
  }
  return shown + "\n";
}

std::string ShowScript(const OracleScript& script) {
  std::string shown;
  for (const OracleUnit& unit : script) {
    for (const OracleStep& step : unit) shown += ShowStep(step);
  }
  return shown;
}

}  // namespace pgweir::test
