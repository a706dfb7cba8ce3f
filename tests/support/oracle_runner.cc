#include "tests/support/oracle_runner.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "tests/support/oracle_draft.h"

namespace pgweir::test {
namespace {

constexpr int kAnswerWithin = 20'000;  // ms
constexpr const char* kRefused = "0A000";
constexpr const char* kTables[] = {"trades", "candles", "padded"};

// What a client is told, in an order that is no server's choice.
struct Answer {
  std::string text;
  std::string sqlstate;  // of the last error
  std::string message;
};

std::string ShowRows(const Result& result, bool ordered) {
  std::string columns;
  for (int i = 0; i < PQnfields(result.get()); ++i) {
    columns += fmt::format("{}:{}:{}:{} ", PQfname(result.get(), i), PQftype(result.get(), i),
                           PQfmod(result.get(), i), PQfformat(result.get(), i));
  }
  std::vector<std::string> rows;
  for (int row = 0; row < result.rows(); ++row) {
    std::string& text = rows.emplace_back();
    for (int i = 0; i < PQnfields(result.get()); ++i) {
      const bool null = PQgetisnull(result.get(), row, i) != 0;
      const std::string value(PQgetvalue(result.get(), row, i),
                              static_cast<size_t>(PQgetlength(result.get(), row, i)));
      text += null ? "NULL|" : Quoted(value) + "|";
    }
  }
  if (!ordered) std::sort(rows.begin(), rows.end());
  return fmt::format("{}\n  {}\n  {}", columns, result.tag(), fmt::join(rows, "\n  "));
}

Answer ReadAnswer(const Connection& connection, bool ordered) {
  Answer answer;
  while (true) {
    if (!connection.Ready(kAnswerWithin)) return {answer.text + "no answer in time", "hangs", ""};
    const std::optional<Result> result = connection.Next();
    if (!result) return answer;
    if (result->ok()) {
      answer.text += ShowRows(*result, ordered) + "\n";
      continue;
    }
    answer.sqlstate = result->sqlstate();
    answer.message = result->message();
    answer.text += "error " + answer.sqlstate + "\n";
    if (!connection.ok()) return {answer.text + "connection lost", "lost", ""};
  }
}

// Sends one execution; name = "" for what is not prepared.
void Send(const Connection& connection, const OracleStep& step, const std::string& name,
          const std::vector<OracleValue>& values) {
  if (step.form == OracleForm::kSimple) return connection.Send(step.sql);
  std::vector<const char*> bytes;
  std::vector<int> lengths, formats;
  for (const OracleValue& value : values) {
    bytes.push_back(value.null ? nullptr : value.bytes.c_str());
    lengths.push_back(static_cast<int>(value.bytes.size()));
    formats.push_back(value.binary ? 1 : 0);
  }
  const int count = static_cast<int>(values.size());
  const int result_format = step.binary_result ? 1 : 0;
  const int sent =
      name.empty() ? PQsendQueryParams(connection.get(), step.sql.c_str(), count, step.types.data(),
                                       bytes.data(), lengths.data(), formats.data(), result_format)
                   : PQsendQueryPrepared(connection.get(), name.c_str(), count, bytes.data(),
                                         lengths.data(), formats.data(), result_format);
  if (sent != 1) throw std::runtime_error(connection.error());
}

void SendParse(const Connection& connection, const OracleStep& step, const std::string& name) {
  const int sent = PQsendPrepare(connection.get(), name.c_str(), step.sql.c_str(),
                                 static_cast<int>(step.types.size()), step.types.data());
  if (sent != 1) throw std::runtime_error(connection.error());
}

void Must(const Connection& connection, std::string_view sql) {
  const Result result = connection.Exec(sql);
  if (!result.ok()) throw std::runtime_error(result.message());
}

std::string SelectRows(std::string_view table, std::string_view where) {
  return fmt::format(
      "select coalesce(string_agg(r::text, chr(10) order by r::text collate \"C\"), '') from {} r "
      "where {}",
      table, where);
}

// Rows of all symbols, some with several of the same number.
std::string Filling() {
  std::string trades, candles, padded;
  int turn = 0;
  for (const auto& symbols : kOracleSymbols) {
    for (const std::string_view symbol : symbols) {
      ++turn;
      const std::string quoted = Quoted(symbol);
      for (int id = 1; id <= 1 + turn % 3; ++id) {
        trades += fmt::format(",({},{},{}.5)", id, quoted, (turn + id) % 4);
      }
      if (turn % 4 != 0) {
        candles += fmt::format(",({},'2024-01-0{}',{}.5)", quoted, 1 + turn % 3, turn % 4);
      }
      if (turn % 3 != 0 && !symbol.ends_with(' ')) {
        padded += fmt::format(",({},{})", quoted, turn % 4);
      }
    }
  }
  return fmt::format(
      "insert into trades (id, symbol, price) select * from (values {}) v (id, symbol, price) "
      "where {{0}};"
      "insert into candles select symbol, opened::timestamptz, high from (values {}) v (symbol, "
      "opened, high) where {{0}};"
      "insert into padded select * from (values {}) v (symbol, x) where {{0}}",
      trades.substr(1), candles.substr(1), padded.substr(1));
}

}  // namespace

OracleRunner::OracleRunner(OraclePlaces places)
    : places_(std::move(places)), whole_(places_.whole) {
  for (const OraclePlaces::Node& node : places_.nodes) {
    nodes_.push_back({Connection(node.conninfo), node.owns});
  }
}

void OracleRunner::Fill() {
  const std::string filling = Filling();
  const auto fill = [&](const Connection& connection, const std::string& owns) {
    Must(connection, fmt::format("truncate trades, candles, padded;{}",
                                 fmt::format(fmt::runtime(filling), owns)));
  };
  fill(whole_, "true");
  for (const Node& node : nodes_) fill(node.connection, node.owns);
  for (const Connection* orders : {&whole_, &nodes_.back().connection}) {
    Must(*orders,
         "truncate orders restart identity; insert into orders (symbol, amount) values "
         "('SOLUSDT', 1), ('BTC', 2), ('', 3), ('SOLUSDT', 4)");
  }
}

std::optional<OracleDifference> OracleRunner::Run(const OracleScript& script, OracleTally* tally) {
  Must(whole_, "rollback; deallocate all");
  through_ = std::make_unique<Connection>(places_.through);
  if (!through_->ok()) throw std::runtime_error(through_->error());
  Fill();
  for (size_t unit = 0; unit < script.size(); ++unit) {
    for (size_t step = 0; step < script[unit].size(); ++step) {
      std::string what = Compare(script[unit][step], tally);
      if (!what.empty()) return OracleDifference{unit, step, std::move(what)};
    }
    constexpr size_t kOften = 10;
    if (unit % kOften != 0 && unit + 1 != script.size()) continue;
    std::string what = CompareTables();
    if (!what.empty()) return OracleDifference{unit, script[unit].size() - 1, std::move(what)};
  }
  through_.reset();
  return std::nullopt;
}

std::string OracleRunner::Compare(const OracleStep& step, OracleTally* tally) {
  OracleTally unseen;
  OracleCount& count = (tally != nullptr ? *tally : unseen)[step.kind];
  std::string name;
  if (step.form == OracleForm::kPrepared) {
    name = fmt::format("p{}", ++prepared_);
    std::string what = CompareExecution(step, name, nullptr, &count);
    // In a transaction that has failed it is told neither alike nor at all that there is none.
    if (!what.empty() || whole_.transaction() == PQTRANS_INERROR) return what;
  }
  for (const auto& values : step.executions) {
    std::string what = CompareExecution(step, name, &values, &count);
    if (!what.empty()) return what;
  }
  return "";
}

// No values: gets it prepared.
std::string OracleRunner::CompareExecution(const OracleStep& step, const std::string& name,
                                           const std::vector<OracleValue>* values,
                                           OracleCount* count) {
  const auto ask = [&](const Connection& connection) {
    values != nullptr ? Send(connection, step, name, *values) : SendParse(connection, step, name);
    return ReadAnswer(connection, step.ordered);
  };
  if (values != nullptr && step.decided) ++count->decided;
  const Answer through = ask(*through_);
  if (through.sqlstate == kRefused) {
    ++count->refused;
    if (step.decided) return "refused though its symbols are decided: " + through.message;
    // It did nothing, but fail its transaction.
    if (whole_.transaction() == PQTRANS_INTRANS) whole_.Exec("select 1 / 0");
    return "";
  }
  const Answer whole = ask(whole_);
  const bool alike = whole.text == through.text && whole_.transaction() == through_->transaction();
  if (alike) {
    if (values != nullptr) ++count->answered;
    if (!whole.sqlstate.empty()) ++count->failed;
    return "";
  }
  return fmt::format("one server ({}):\n  {}through pgweir ({}):\n  {}",
                     static_cast<int>(whole_.transaction()), whole.text,
                     static_cast<int>(through_->transaction()), through.text);
}

std::string OracleRunner::CompareTables() {
  if (whole_.transaction() != PQTRANS_IDLE) return "";
  for (const char* table : kTables) {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const std::string own = whole_.Value(SelectRows(table, nodes_[i].owns));
      const std::string held = nodes_[i].connection.Value(SelectRows(table, "true"));
      if (own == held) continue;
      return fmt::format("{} of node {} should hold\n{}\nbut holds\n{}\n", table, i, own, held);
    }
  }
  const std::string orders = SelectRows("orders", "true");
  return whole_.Value(orders) == nodes_.back().connection.Value(orders) ? "" : "orders differ";
}

OracleScript OracleRunner::Shrink(OracleScript script, std::chrono::seconds at_most) {
  const auto differs = [this](const OracleScript& smaller) {
    return Run(smaller, nullptr).has_value();
  };
  return ShrinkOracle(std::move(script), differs, at_most);
}

}  // namespace pgweir::test
