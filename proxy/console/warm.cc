// CACHE WARM FILE: reads that are asked so that the query cache has their answers.

#include <algorithm>
#include <array>

#include "config/file.h"
#include "proxy/console/console.h"
#include "proxy/console/inner_client.h"
#include "proxy/host.h"
#include "router/statement_cache.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

constexpr size_t kMostBytes = size_t{16} << 20;
constexpr std::chrono::seconds kBetweenNotices{2};

struct Ask {
  std::string_view sql;
  size_t line = 0;  // of the file, where it begins
};

// The statements of a file, without the semicolons behind them and what is around them.
StatusOr<std::vector<Ask>> StatementsOf(std::string_view text) {
  std::vector<Ask> asks;
  router::SqlScan scan;
  size_t begin = 0, line = 1;
  const auto add = [&](size_t from, size_t to) {
    line += static_cast<size_t>(std::count(text.begin() + static_cast<ptrdiff_t>(begin),
                                           text.begin() + static_cast<ptrdiff_t>(from), '\n'));
    asks.push_back({text.substr(from, to - from), line});
    line += static_cast<size_t>(std::count(asks.back().sql.begin(), asks.back().sql.end(), '\n'));
    begin = to;
  };
  while (begin < text.size()) {
    const size_t base = begin;
    const std::string_view rest = text.substr(base);
    scan.Scan(rest);
    std::optional<size_t> first;  // the place of the statement's first token
    size_t last = 0;
    bool ended = false;
    for (const router::Token& token : scan.tokens()) {
      const bool ends = token.span.In(rest) == ";";
      if (ends && first.has_value()) add(base + *first, base + last);
      if (ends) {
        first.reset();
        ended = true;
        begin = base + token.span.offset + 1;
        continue;
      }
      if (!first.has_value()) first = token.span.offset;
      last = token.span.offset + token.span.length;
    }
    if (scan.complete()) {
      if (first.has_value()) add(base + *first, base + last);
      break;
    }
    if (!ended) return Errorf(sqlstate::kSyntaxError, "line {}: {}", line, scan.fault());
  }
  return asks;
}

// By both protocols, as libpq asks for text: drivers that ask otherwise have answers of their own.
std::string Query(std::string_view sql) {
  std::string out;
  wire::AppendQuery(out, sql);
  return out;
}

std::string Batch(std::string_view sql) {
  using namespace std::string_view_literals;
  constexpr std::string_view kTextResults = "\0\0\0\0\0\1\0\0"sv;
  std::string out;
  wire::AppendParse(out, "", sql, "\0\0"sv);
  wire::AppendBindHead(out, "", "", static_cast<uint32_t>(kTextResults.size()));
  out += kTextResults;
  wire::AppendDescribe(out, 'P', "");
  wire::AppendExecute(out, "");
  wire::AppendSync(out);
  return out;
}

}  // namespace

net::Task<StatusOr<Result>> Console::WarmCache(Command command) {
  if (host_.shared().cache == nullptr) co_return NoCache();
  const auto database = OnlyDatabase(command.database);
  if (!database.ok()) co_return database.status();
  const std::string name = command.database.empty() ? (*database)->name : command.database;
  const auto text = config::ReadFile(command.value, kMostBytes);
  if (!text.ok()) co_return text.status();
  const auto asks = StatementsOf(*text);
  if (!asks.ok()) {
    co_return Errorf(SqlStateOf(asks.status()), "{}: {}", command.value, MessageOf(asks.status()));
  }

  InnerClient client(host_, client_.event, command.name.empty() ? user_ : command.name, name);
  const auto answered = [&client] { return client.Pump(); };
  Status status = co_await Await(answered);
  if (status.ok()) status = client.TakeError();
  if (!status.ok()) co_return status;

  size_t done = 0, failed = 0;
  std::string first_failure;
  TimePoint told = Clock::now();
  for (const Ask& ask : *asks) {
    const router::FactsRef facts = host_.tools().statements.Find(ask.sql);
    Status asked;
    if (facts->statements.size() != 1 ||
        facts->statements.front().kind != router::StatementKind::kSelect) {
      asked = Error(sqlstate::kFeatureNotSupported, "not a SELECT");
    }
    const std::array<std::string, 2> requests = {Query(ask.sql), Batch(ask.sql)};
    for (const std::string& request : requests) {
      if (!asked.ok()) break;
      client.Send(request);
      status = co_await Await(answered);
      if (!status.ok()) co_return status;
      asked = client.TakeError();
    }
    if (client.over()) {
      co_return asked.ok() ? Error(sqlstate::kConnectionFailure, "its session has ended") : asked;
    }
    ++done;
    if (!asked.ok() && ++failed == 1) {
      first_failure = fmt::format("{}:{}: {}", command.value, ask.line, MessageOf(asked));
    }
    if (Clock::now() - told >= kBetweenNotices) {
      told = Clock::now();
      AppendNotice({.notice = fmt::format("{} of {} statements", done, asks->size())});
    }
  }
  Result result;
  result.tag = fmt::format("CACHE WARM {}", done - failed);
  if (failed != 0) {
    result.notice = fmt::format("{} of {} statements failed", failed, done);
    result.detail = "the first: " + first_failure;
  }
  co_return result;
}

}  // namespace pgweir::proxy
