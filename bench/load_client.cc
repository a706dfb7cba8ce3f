#include "bench/load_client.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <random>
#include <thread>

#include "fmt/format.h"

namespace pgweir::bench {
namespace {

using Clock = std::chrono::steady_clock;
using ConnPtr = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using ResultPtr = std::unique_ptr<PGresult, decltype(&PQclear)>;

constexpr const char* kCandles =
    "SELECT opened_at, open, high, low, close, volume FROM candles WHERE symbol = $1"
    " AND opened_at >= timestamptz '2025-01-01 00:00:00Z' + $2::int * interval '1 hour'"
    " ORDER BY opened_at LIMIT 48";
constexpr int kCandleHours = 30 * 24;
constexpr int kCandlesRead = 48;

class Client {
 public:
  Client(const LoadOptions& options, const std::vector<Instrument>& instruments, int number,
         Clock::time_point stop_at)
      : options_(options),
        instruments_(instruments),
        number_(number),
        stop_at_(stop_at),
        random_(options.seed * 1'000'003 + static_cast<uint64_t>(number)),
        popularity_(Popularity(instruments.size())) {}

  ClientResult Run() {
    while (Clock::now() < stop_at_) {
      if (!connection_) {
        Connect();
        continue;
      }
      Operate();
      Pause(options_.think);
    }
    return std::move(result_);
  }

 private:
  void Connect() {
    ConnPtr connection(PQconnectdb(options_.conninfo.c_str()), &PQfinish);
    if (PQstatus(connection.get()) == CONNECTION_OK) {
      connection_ = std::move(connection);
      return;
    }
    ++result_.refused;
    NoteError(PQerrorMessage(connection.get()));
    Pause(options_.retry_pause);
  }

  void Operate() {
    const bool write = Draw(100) < options_.write_percent;
    const auto start = Clock::now();
    if (!(write ? WriteTrade() : Read())) {
      ++result_.failed;
      Recover();
      return;
    }
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
    result_.latencies_us.push_back(static_cast<uint32_t>(took.count()));
    if (!write) ++result_.reads;
  }

  bool Read() {
    const char* symbol = instruments_[popularity_(random_)].symbol.c_str();
    if (Draw(10) < 7) return Execute(kNewestTrades, std::array{symbol});
    const int last = kCandleHours - kCandlesRead;
    const std::string hour = std::to_string(options_.newest ? last : Draw(kCandleHours));
    return Execute(kCandles, std::array{symbol, hour.c_str()});
  }

  bool WriteTrade() {
    const Instrument& instrument = instruments_[popularity_(random_)];
    const std::string quantity = fmt::format("{}.{:03}", Draw(10), 1 + Draw(999));
    const std::string id = fmt::format("{}-{}-{}", options_.run, number_, ++orders_);
    const std::array values = {instrument.symbol.c_str(), instrument.price.c_str(),
                               quantity.c_str(), Draw(2) == 0 ? "buy" : "sell", id.c_str()};
    if (!Execute("BEGIN") || !Execute(kInsertTrade, values) || !Execute("COMMIT")) return false;
    result_.confirmed.push_back(id);
    return true;
  }

  template <size_t N = 0>
  bool Execute(const char* sql, const std::array<const char*, N>& values = {}) {
    ResultPtr result(
        PQexecParams(connection_.get(), sql, N, nullptr, values.data(), nullptr, nullptr, 0),
        &PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return true;
    NoteError(PQerrorMessage(connection_.get()));
    return false;
  }

  // A client whose connection is lost opens another, as an application's pool would.
  void Recover() {
    if (PQstatus(connection_.get()) == CONNECTION_OK &&
        PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) {
      Execute("ROLLBACK");
    }
    if (PQstatus(connection_.get()) != CONNECTION_OK) connection_.reset();
  }

  // Exponential, so that clients don't march in step; never far beyond the end.
  void Pause(std::chrono::milliseconds mean) {
    if (mean.count() == 0) return;
    std::exponential_distribution<double> pause(1.0 / static_cast<double>(mean.count()));
    const std::chrono::duration<double, std::milli> drawn(pause(random_));
    std::this_thread::sleep_until(
        std::min(stop_at_, Clock::now() + std::chrono::duration_cast<Clock::duration>(drawn)));
  }

  int Draw(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  void NoteError(const char* message) {
    if (result_.first_error.empty()) result_.first_error = message;
  }

  const LoadOptions& options_;
  const std::vector<Instrument>& instruments_;
  const int number_;
  const Clock::time_point stop_at_;
  std::mt19937_64 random_;
  std::discrete_distribution<size_t> popularity_;
  ConnPtr connection_{nullptr, &PQfinish};
  uint64_t orders_ = 0;
  ClientResult result_;
};

}  // namespace

ClientResult RunClient(const LoadOptions& options, const std::vector<Instrument>& instruments,
                       int number, Clock::time_point stop_at) {
  return Client(options, instruments, number, stop_at).Run();
}

}  // namespace pgweir::bench
