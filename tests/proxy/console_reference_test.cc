// docs/console.md against the console: no table, column or command is missing or made up.

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "absl/strings/ascii.h"
#include "base/strings.h"
#include "proxy/console/command.h"
#include "proxy/console/tables.h"

namespace pgweir::proxy {
namespace {

std::string Page() {
  std::ostringstream text;
  text << std::ifstream(PGWEIR_SOURCE_FOLDER "/docs/console.md").rdbuf();
  return text.str();
}

// "`name` type" for each column in the section whose heading names the table.
std::set<std::string> DocumentedColumns(const std::string& page, std::string_view table) {
  const std::string title = "`SHOW " + absl::AsciiStrToUpper(ToAbsl(table)) + "`";
  const std::regex row(R"(\| (`[a-z0-9_` ]+`) \| ([a-z0-9]+) \|.*)");
  const std::regex name("`([a-z0-9_]+)`");
  std::set<std::string> columns;
  bool here = false;
  std::istringstream in(page);
  std::smatch match;
  for (std::string line; std::getline(in, line);) {
    if (line.find('#') == 0) here = line.find(title) != std::string::npos;
    if (!here || !std::regex_match(line, match, row)) continue;
    const std::string names = match[1];
    for (std::sregex_iterator it(names.begin(), names.end(), name), end; it != end; ++it) {
      columns.insert(fmt::format("{} {}", (*it)[1].str(), match[2].str()));
    }
  }
  return columns;
}

std::string_view TypeName(wire::ColumnType type) {
  switch (type) {
    case wire::ColumnType::kInt4:
      return "int4";
    case wire::ColumnType::kInt8:
      return "int8";
    case wire::ColumnType::kNumeric:
      return "numeric";
    case wire::ColumnType::kText:
      break;
  }
  return "text";
}

TEST(ConsoleReference, HasEveryTableWithItsColumns) {
  const std::string page = Page();
  EXPECT_GT(AllTables().size(), 20u);
  for (const TableKind& table : AllTables()) {
    std::set<std::string> columns;
    for (const wire::Column& column : ColumnsFrom(table.columns)) {
      columns.insert(fmt::format("{} {}", column.name, TypeName(column.type)));
    }
    EXPECT_EQ(DocumentedColumns(page, table.name), columns) << table.name;
  }
}

TEST(ConsoleReference, HasNoTableThatIsNone) {
  const std::string page = Page();
  const std::regex title("`SHOW ([A-Z_]+)`");
  std::istringstream in(page);
  for (std::string line; std::getline(in, line);) {
    if (line.find("### ") != 0) continue;
    for (std::sregex_iterator it(line.begin(), line.end(), title), end; it != end; ++it) {
      const std::string name = absl::AsciiStrToLower((*it)[1].str());
      EXPECT_NE(FindTable(name), nullptr) << name;
    }
  }
}

TEST(ConsoleReference, HasEveryCommand) {
  const std::string page = Page();
  const std::string commands = page.substr(page.find("## Commands"));
  for (const std::string_view word : CommandWords()) {
    EXPECT_THAT(commands, testing::HasSubstr("`" + absl::AsciiStrToUpper(ToAbsl(word)))) << word;
  }
  EXPECT_THAT(commands, testing::HasSubstr("`SET key = value`"));
}

}  // namespace
}  // namespace pgweir::proxy
