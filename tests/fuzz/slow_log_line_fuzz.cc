// Whatever a statement, its parameters and its error are, a line of the slow-query log is one line
// of UTF-8, and its strings end where pgBadger takes them to end.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/utf8.h"
#include "observe/slow_log_line.h"

namespace {

using pgweir::observe::StatementParameter;

void Demand(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// From behind the opening quote: where JSON has the closing one.
size_t JsonEnd(std::string_view line, size_t at) {
  while (at < line.size() && line[at] != '"') at += line[at] == '\\' ? 2 : 1;
  return at;
}

void CheckString(std::string_view line, std::string_view key) {
  const std::string opening = "\"" + std::string(key) + "\":\"";
  const size_t found = line.find(opening);
  if (found == line.npos) return;
  const size_t begin = found + opening.size();
  size_t end = begin;
  while (!line.substr(end).starts_with("\",\"") && !line.substr(end).starts_with("\"}")) {
    Demand(++end < line.size(), "a string does not end");
  }
  Demand(end == JsonEnd(line, begin), "a string ends too early");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint32_t kTypes[] = {0,   16,  17,   20,   21,   23,   25,   114,
                                 700, 701, 1082, 1114, 1184, 1700, 2950, 3802};
  if (size < 4) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 4), size - 4);
  const std::string_view half = text.substr(0, text.size() / 2);
  const StatementParameter parameters[] = {
      {false, true, kTypes[data[0] % 16], text.substr(0, data[1])}, {false, false, 25, half}};

  pgweir::observe::ClientFacts client;
  client.user = client.database = client.application_name = half;
  pgweir::observe::StatementRecord record;
  record.client = &client;
  record.text = record.digest_text = record.plan = text;
  record.prepared_name = half;
  record.extended = (data[2] & 1) != 0;
  record.parameters = parameters;
  record.sqlstate = (data[2] & 2) != 0 ? "22P02" : "";
  record.error = text;
  pgweir::observe::LineOptions options;
  options.redact = static_cast<pgweir::config::Redact>((data[2] >> 2) % 3);
  options.parameter_max_length = data[3];

  pgweir::observe::SlowLogLine writer;
  const std::string_view line = writer.Write(record, options);
  Demand(line.find('\n') == line.size() - 1, "not one line");
  Demand(pgweir::ToUtf8(line) == line, "not UTF-8");
  Demand(line.find("INFO: ") == line.npos, "another program's line");
  for (const char* key :
       {"user", "dbname", "error_severity", "message", "detail", "statement", "application_name"}) {
    CheckString(line, key);
  }
  return 0;
}
