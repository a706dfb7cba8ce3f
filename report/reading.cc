#include "report/reading.h"

#include <sys/stat.h>

#include <algorithm>

#include "report/line_reader.h"
#include "report/progress.h"

namespace pgweir::report {
namespace {

constexpr uint64_t kLinesBetweenLooks = 1024;

// 0 when it is not known.
uint64_t SizeOf(const std::vector<std::string>& files) {
  uint64_t sum = 0;
  for (const std::string& file : files) {
    struct stat status{};
    if (stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
    sum += static_cast<uint64_t>(status.st_size);
  }
  return sum;
}

class LogReader {
 public:
  LogReader(const std::vector<std::string>& files, Summary& summary)
      : files_(files), progress_(SizeOf(files)), summary_(summary) {}

  Status Read(uint32_t number);

 private:
  void Take(std::string_view line, Place place);
  std::string Where(Place place) const {
    return fmt::format("{}:{}", files_[place.file], place.line);
  }

  const std::vector<std::string>& files_;
  LogLineParser parser_;
  Progress progress_;
  Summary& summary_;
  uint64_t done_ = 0;
};

void LogReader::Take(std::string_view line, Place place) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  switch (parser_.Parse(line)) {
    case LineKind::kStatement:
      return summary_.Add(parser_.statement(), place);
    case LineKind::kPlan:
      return summary_.AddPlan(parser_.statement());
    case LineKind::kOther:
      return summary_.CountOther();
    case LineKind::kBroken:
      return summary_.AddFault(Where(place), std::string(parser_.fault()));
  }
}

Status LogReader::Read(uint32_t number) {
  const auto source = OpenSource(files_[number]);
  if (!source.ok()) return source.status();
  LineReader lines(**source);
  for (;;) {
    const auto next = lines.Next();
    const Place place{number, lines.number()};
    if (!next.ok()) {
      summary_.AddFileFault(Where(place), MessageOf(next.status()) + "; what comes before is used");
      break;
    }
    if (*next == LineReader::Outcome::kEnd) break;
    if (*next == LineReader::Outcome::kTooLong) {
      summary_.AddFault(Where(place),
                        fmt::format("is longer than {} MiB", LineReader::kMaxLine >> 20));
      continue;
    }
    Take(lines.line(), place);
    if (place.line % kLinesBetweenLooks == 0) progress_.Show(done_ + (*source)->consumed());
  }
  done_ += (*source)->consumed();
  return absl::OkStatus();
}

Status CannotRead(const std::string& file, const Status& why) {
  return Errorf(sqlstate::kIoError, "{}: {}; name slow-query logs, as [slow_log] path says", file,
                MessageOf(why));
}

}  // namespace

Status ReadLogs(const std::vector<std::string>& files, Summary& summary) {
  if (std::count(files.begin(), files.end(), "-") > 1) {
    return Error(sqlstate::kIoError, "the standard input, -, can be read only once");
  }
  for (const std::string& file : files) {
    if (file == "-") continue;
    const auto source = OpenSource(file);
    if (!source.ok()) return CannotRead(file, source.status());
  }
  LogReader reader(files, summary);
  for (uint32_t number = 0; number < files.size(); ++number) {
    const Status read = reader.Read(number);
    if (!read.ok()) return CannotRead(files[number], read);
  }
  return absl::OkStatus();
}

}  // namespace pgweir::report
