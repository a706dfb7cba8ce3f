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

// Where a part of the text begins, counted from 1.
size_t LineOf(std::string_view text, std::string_view part) {
  const auto begin = part.data() - text.data();
  return 1 + static_cast<size_t>(std::count(text.begin(), text.begin() + begin, '\n'));
}

// The statements of a file, without the semicolons behind them and what is around them. More than
// one scan takes is taken in several.
StatusOr<std::vector<std::string_view>> StatementsOf(std::string_view text) {
  std::vector<std::string_view> statements;
  router::SqlScan scan;
  std::string_view rest = text;
  while (!rest.empty()) {
    scan.Scan(rest);
    std::optional<size_t> first;  // the place of the statement's first token
    size_t last = 0, taken = 0;
    const auto take = [&] {
      if (first.has_value()) statements.push_back(rest.substr(*first, last - *first));
      first.reset();
    };
    for (const router::Token& token : scan.tokens()) {
      const size_t end = token.span.offset + token.span.length;
      if (token.span.In(rest) == ";") {
        take();
        taken = end;
        continue;
      }
      if (!first.has_value()) first = token.span.offset;
      last = end;
    }
    if (scan.complete()) {
      take();
      break;
    }
    if (taken == 0) {
      return Errorf(sqlstate::kSyntaxError, "line {}: {}", LineOf(text, rest), scan.fault());
    }
    rest.remove_prefix(taken);
  }
  return statements;
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
  const auto statements = StatementsOf(*text);
  if (!statements.ok()) {
    co_return Errorf(SqlStateOf(statements.status()), "{}: {}", command.value,
                     MessageOf(statements.status()));
  }

  InnerClient client(host_, client_.event, command.name.empty() ? user_ : command.name, name);
  const auto answered = [&client] { return client.Pump(); };
  Status status = co_await Await(answered);
  if (status.ok()) status = client.TakeError();
  if (!status.ok()) co_return status;

  size_t done = 0, failed = 0;
  std::string first_failure;
  TimePoint told = Clock::now();
  for (const std::string_view sql : *statements) {
    const router::FactsRef facts = host_.tools().statements.Find(sql);
    Status asked;
    if (facts->statements.size() != 1 ||
        facts->statements.front().kind != router::StatementKind::kSelect) {
      asked = Error(sqlstate::kFeatureNotSupported, "not a SELECT");
    }
    const std::array<std::string, 2> requests = {Query(sql), Batch(sql)};
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
      first_failure = fmt::format("{}:{}: {}", command.value, LineOf(*text, sql), MessageOf(asked));
    }
    if (Clock::now() - told >= kBetweenNotices) {
      told = Clock::now();
      AppendNotice({.notice = fmt::format("{} of {} statements", done, statements->size())});
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
