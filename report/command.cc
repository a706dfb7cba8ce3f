#include "report/command.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "report/options.h"
#include "report/page.h"
#include "report/reading.h"
#include "report/terminal.h"

namespace pgweir::report {
namespace {

constexpr int kBadUsage = 2;
constexpr size_t kColumnsOfNoTerminal = 200;

size_t Columns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kColumnsOfNoTerminal;
  return size.ws_col;
}

int Fail(const Status& status, int exit_code) {
  std::fprintf(stderr, "pgweir: %s\n", MessageOf(status).c_str());
  return exit_code;
}

void Print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// All of it or nothing: an old page is replaced when the new one is whole.
Status WriteFile(const std::string& path, const std::string& text) {
  const std::string draft = path + ".new";
  const auto failed = [&](std::string_view step) {
    const Status status = Errorf(sqlstate::kIoError,
                                 "{}: can't {}: {}; --html needs a file in a "
                                 "folder that you may write to",
                                 path, step, std::strerror(errno));
    unlink(draft.c_str());
    return status;
  };
  std::FILE* const file = std::fopen(draft.c_str(), "wb");
  if (file == nullptr) return failed("create it");
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !written) return failed("write");
  if (std::rename(draft.c_str(), path.c_str()) != 0) return failed("replace it");
  return absl::OkStatus();
}

}  // namespace

int RunReport(const std::vector<std::string_view>& arguments) {
  const auto options = ParseOptions(arguments);
  if (!options.ok()) return Fail(options.status(), kBadUsage);
  if (options->help) {
    Print(kUsage);
    return 0;
  }
  Summary summary(options->filter);
  if (const Status read = ReadLogs(options->files, summary); !read.ok()) return Fail(read, 1);
  Print(TerminalReport(summary, *options, Columns()));
  if (summary.lines().statements == 0) {
    std::fputs("pgweir: no statement found; [slow_log] path names pgweir's slow-query log\n",
               stderr);
    return 1;
  }
  if (options->html.empty()) return 0;
  const Status written = WriteFile(options->html, HtmlPage(summary, options->files));
  return written.ok() ? 0 : Fail(written, 1);
}

}  // namespace pgweir::report
