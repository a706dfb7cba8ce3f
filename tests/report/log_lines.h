#pragma once

#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "report/log_line.h"
#include "report/summary.h"

namespace pgweir::report {

// A statement's line with nothing but what tests vary.
struct LineOptions {
  std::string_view timestamp = "2026-11-21 10:00:00.000 UTC";
  std::string_view user = "app", database = "market";
  std::string_view digest = "00000000000000aa";
  std::string_view shards = R"(["db_a"])";
  uint64_t queue = 1000, server = 2000, transfer = 500, total = 4000;
  std::string_view sql = "SELECT 1";  // as JSON has it
};

inline std::string LineOf(const LineOptions& o) {
  return fmt::format(
      R"({{"timestamp":"{}","user":"{}","dbname":"{}","pid":7,"error_severity":"LOG",)"
      R"("message":"duration: {}.{:03} ms  statement: {}","pgweir":{{"digest":"{}","shards":{},)"
      R"("wait_us":{},"backend_us":{},"transfer_us":{},"total_us":{},"rows":3,"bytes":120}}}})",
      o.timestamp, o.user, o.database, o.total / 1000, o.total % 1000, o.sql, o.digest, o.shards,
      o.queue, o.server, o.transfer, o.total);
}

// A plan by itself.
inline std::string PlanLineOf(std::string_view digest, std::string_view node_type,
                              std::string_view timestamp = "2026-11-21 10:00:00.000 UTC") {
  return fmt::format(
      R"({{"timestamp":"{}","user":"app","dbname":"market","pid":7,"error_severity":"LOG",)"
      R"("message":"plan of digest {}","backend_type":"client backend","pgweir":{{"v":1,)"
      R"("digest":"{}","shards":["db_a"],"plan":[{{"Plan":{{"Node Type":"{}"}}}}]}}}})",
      timestamp, digest, digest, node_type);
}

// Parses lines that need no room behind them.
class PaddedParser {
 public:
  LineKind Parse(std::string_view line) {
    padded_ = std::string(line) + std::string(LogLineParser::kPadding, '}');
    return parser_.Parse(std::string_view(padded_).substr(0, line.size()));
  }
  const Statement& statement() const { return parser_.statement(); }
  std::string fault() const { return std::string(parser_.fault()); }

 private:
  std::string padded_;
  LogLineParser parser_;
};

inline void AddLine(Summary& summary, const LineOptions& options, Place place = {}) {
  PaddedParser parser;
  if (parser.Parse(LineOf(options)) == LineKind::kStatement) summary.Add(parser.statement(), place);
}

// A folder of files that goes away with it.
class LogFolder {
 public:
  LogFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "pgweir-report-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~LogFolder() { std::filesystem::remove_all(path_); }

  std::string Write(std::string_view name, std::string_view text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

// One member of gzip's.
inline std::string Gzip(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace pgweir::report
