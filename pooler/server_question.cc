#include "pooler/server_question.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace pgweir::pooler {
namespace {

constexpr size_t kColumns = 6;

Status Nonsense() {
  return Error(sqlstate::kProtocolViolation, "the server's answer makes no sense");
}

template <typename T>
std::optional<T> Number(const std::string& text, int base = 10) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// "16/B374D848"
std::optional<uint64_t> Lsn(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto high = Number<uint32_t>(text.substr(0, slash), 16);
  const auto low = Number<uint32_t>(text.substr(slash + 1), 16);
  if (!high.has_value() || !low.has_value()) return std::nullopt;
  return static_cast<uint64_t>(*high) << 32 | *low;
}

}  // namespace

// Whether it is in recovery is asked once, so that a promotion in between mixes nothing up. Only
// a primary can name its WAL file, and only that is sure of the timeline: the control file knows of
// a new one at the next checkpoint.
constexpr std::string_view kServerQuestion =
    "SELECT r, s.system_identifier, "
    "CASE WHEN r THEN c.timeline_id::pg_catalog.text ELSE 'x' OPERATOR(pg_catalog.||) "
    "pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8) "
    "END, "
    "CASE WHEN r THEN pg_catalog.pg_last_wal_replay_lsn() "
    "ELSE pg_catalog.pg_current_wal_insert_lsn() END, "
    "CASE WHEN r THEN pg_catalog.pg_last_wal_receive_lsn() END, "
    "CASE WHEN r THEN pg_catalog.int8(1000 OPERATOR(pg_catalog.*) pg_catalog.date_part('epoch', "
    "pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) "
    "pg_catalog.pg_last_xact_replay_timestamp())) END "
    "FROM (SELECT pg_catalog.pg_is_in_recovery() AS r OFFSET 0) AS q, "
    "pg_catalog.pg_control_system() AS s, pg_catalog.pg_control_checkpoint() AS c";

StatusOr<ServerAnswer> ReadServerAnswer(const std::vector<std::vector<std::string>>& rows) {
  if (rows.size() != 1 || rows[0].size() != kColumns) return Nonsense();
  const std::vector<std::string>& row = rows[0];
  ServerAnswer answer;
  answer.in_recovery = row[0] == "t";
  const auto system = Number<int64_t>(row[1]);
  const bool in_hex = row[2].starts_with('x');
  const auto timeline = Number<uint32_t>(row[2].substr(in_hex ? 1 : 0), in_hex ? 16 : 10);
  const auto lsn = Lsn(row[3]);
  if (!system.has_value() || !timeline.has_value()) return Nonsense();
  // A replica that has just started has none.
  if (!lsn.has_value() && !answer.in_recovery) return Nonsense();
  answer.system_id = static_cast<uint64_t>(*system);
  answer.timeline = *timeline;
  answer.lsn = lsn.value_or(0);
  answer.received = Lsn(row[4]).value_or(0);
  // Clocks of two machines: a little ahead is now.
  if (const auto age = Number<int64_t>(row[5]); age.has_value()) {
    answer.since_replay = std::chrono::milliseconds(std::max<int64_t>(*age, 0));
  }
  return answer;
}

bool SaysServerIsDown(const Status& failure) {
  const std::string state = SqlStateOf(failure);
  const std::string_view of_class = std::string_view(state).substr(0, 2);
  return of_class == "08" || of_class == "57" || of_class == "58" || of_class == "XX";
}

}  // namespace pgweir::pooler
