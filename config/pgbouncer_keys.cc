#include "config/pgbouncer_keys.h"

#include <algorithm>

namespace pgweir::config {
namespace {

constexpr std::string_view kGeneral = "pgbouncer";
constexpr std::string_view kCiphers =
    "fast|normal|secure|default|compat|legacy|all|insecure|default:-aNULL";
constexpr std::string_view kTuning = "tunes PgBouncer's own event loop";
constexpr std::string_view kResolver = "libpq asks the system's resolver at every connect";

constexpr UnservedKey kKeys[] = {
    {kGeneral, "track_extra_parameters", KeyFate::kAsItWorks, "",
     "every setting of a client is carried from server to server"},

    {kGeneral, "auth_ldap_options", KeyFate::kNoMeaning, "", "auth_type ldap is not served"},
    {kGeneral, "autodb_idle_timeout", KeyFate::kNoMeaning, "3600",
     "a database that nobody uses costs nothing"},
    {kGeneral, "pool_idle_timeout", KeyFate::kNoMeaning, "0", "an empty pool costs nothing"},
    {kGeneral, "cancel_wait_timeout", KeyFate::kNoMeaning, "10",
     "a cancel request waits for no server connection"},
    {kGeneral, "client_tls_ciphers", KeyFate::kNoMeaning, kCiphers,
     "OpenSSL's own choice for TLS 1.2 and up is used"},
    {kGeneral, "client_tls13_ciphers", KeyFate::kNoMeaning, "", "OpenSSL's own choice is used"},
    {kGeneral, "client_tls_dheparams", KeyFate::kNoMeaning, "auto", "OpenSSL's own choice is used"},
    {kGeneral, "client_tls_ecdhcurve", KeyFate::kNoMeaning, "auto", "OpenSSL's own choice is used"},
    {kGeneral, "server_tls_ciphers", KeyFate::kNoMeaning, kCiphers, "libpq has no such setting"},
    {kGeneral, "server_tls13_ciphers", KeyFate::kNoMeaning, "", "libpq has no such setting"},
    {kGeneral, "conffile", KeyFate::kNoMeaning, "", "a reload reads the same file again"},
    {kGeneral, "disable_pqexec", KeyFate::kRefused, "0",
     "simple queries can't be forbidden here; leave it out if they may pass"},
    {kGeneral, "dns_max_ttl", KeyFate::kNoMeaning, "15", kResolver},
    {kGeneral, "dns_nxdomain_ttl", KeyFate::kNoMeaning, "15", kResolver},
    {kGeneral, "dns_zone_check_period", KeyFate::kNoMeaning, "0", kResolver},
    {kGeneral, "resolv_conf", KeyFate::kNoMeaning, "", kResolver},
    {kGeneral, "job_name", KeyFate::kNoMeaning, "pgbouncer", "nothing shows it"},
    {kGeneral, "service_name", KeyFate::kNoMeaning, "pgbouncer", "it is a name on Windows"},
    {kGeneral, "listen_backlog", KeyFate::kNoMeaning, "128|4096", "it is 4096"},
    {kGeneral, "log_pooler_errors", KeyFate::kNoMeaning, "1", "they are always logged"},
    {kGeneral, "login_notify_message", KeyFate::kNoMeaning, "", "clients get no notice at login"},
    {kGeneral, "max_packet_size", KeyFate::kNoMeaning, "2147483647",
     "messages stream through in bounded memory whatever their size"},
    {kGeneral, "pkt_buf", KeyFate::kNoMeaning, "4096|2048", kTuning},
    {kGeneral, "sbuf_loopcnt", KeyFate::kNoMeaning, "5", kTuning},
    {kGeneral, "tcp_defer_accept", KeyFate::kNoMeaning, "0|1|45", kTuning},
    {kGeneral, "tcp_socket_buffer", KeyFate::kNoMeaning, "0", kTuning},
    {kGeneral, "scram_iterations", KeyFate::kNoMeaning, "4096",
     "4096 are used for plain passwords, and a secret's own for SCRAM secrets"},
    {kGeneral, "server_check_delay", KeyFate::kNoMeaning, "30",
     "a connection idle for longer than 30 s is checked"},
    {kGeneral, "server_fast_close", KeyFate::kNoMeaning, "0",
     "a session keeps its server connection to its end"},
    {kGeneral, "server_login_retry", KeyFate::kNoMeaning, "15",
     "a server that can't be reached is tried again after 0.1 to 1 s, and clients wait meanwhile"},
    {kGeneral, "server_reset_query", KeyFate::kNoMeaning, "DISCARD ALL",
     "what a session leaves behind is always cleaned up"},
    {kGeneral, "server_reset_query_always", KeyFate::kNoMeaning, "0",
     "a client's settings and prepared statements follow it, and are never lost between "
     "transactions"},
    {kGeneral, "server_round_robin", KeyFate::kNoMeaning, "0",
     "the connection used last is used first"},
    {kGeneral, "suspend_timeout", KeyFate::kNoMeaning, "10",
     "there is no online reboot; use so_reuseport"},
};

// Numbers as numbers, so that 5.0 is 5; words in any case.
bool IsSame(std::string_view a, std::string_view b) {
  const auto number = ParseNumber(a);
  return (number.has_value() && number == ParseNumber(b)) || EqualsIgnoringCase(a, b);
}

bool IsStandard(std::string_view value, std::string_view standards) {
  while (true) {
    const size_t bar = std::min(standards.find('|'), standards.size());
    if (IsSame(value, standards.substr(0, bar))) return true;
    if (bar == standards.size()) return false;
    standards.remove_prefix(bar + 1);
  }
}

}  // namespace

std::vector<const UnservedKey*> UnservedKeys() {
  std::vector<const UnservedKey*> keys;
  for (const UnservedKey& key : kKeys) keys.push_back(&key);
  return keys;
}

const UnservedKey* FindUnservedKey(std::string_view section, std::string_view name) {
  for (const UnservedKey* key : UnservedKeys()) {
    if (key->section == section && key->name == name) return key;
  }
  return nullptr;
}

void ReportUnserved(const UnservedKey& key, const IniValue& value) {
  if (key.fate == KeyFate::kAsItWorks || IsStandard(value.text(), key.standard)) return;
  if (key.fate == KeyFate::kRefused) return value.Fault(key.reason);
  value.Warn(fmt::format("no meaning: {}", key.reason));
}

}  // namespace pgweir::config
