#include "observe/secrets.h"

#include <algorithm>

namespace pgweir::observe {
namespace {

// In lower case.
constexpr std::string_view kWords[] = {
    "passw",       "passphrase",   "secret",  "credential", "api_key", "apikey", "access_key",
    "private_key", "subscription", "mapping", "conninfo",   "dblink",  "pgp_",   "crypt",
};

constexpr std::string_view kStateClasses[] = {"08", "25", "40", "53", "54", "55", "57", "58"};
// Undefined table, column and function; insufficient privilege.
constexpr std::string_view kNamingStates[] = {"42P01", "42703", "42883", "42501"};

constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

struct FirstLetters {
  bool is[256] = {};
  constexpr FirstLetters() {
    for (const std::string_view word : kWords) {
      is[static_cast<unsigned char>(word[0])] = true;
      is[static_cast<unsigned char>(word[0] - 32)] = true;
    }
  }
};
constexpr FirstLetters kFirst;

bool BeginsWith(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(),
                    [](char wanted, char c) { return wanted == Lower(c); });
}

// scheme://user:password@host
bool IsUrlWithPassword(std::string_view text) {
  if (!text.starts_with("://")) return false;
  const std::string_view authority = text.substr(3, text.find_first_of("/ '\"\n", 3) - 3);
  const size_t at = authority.find('@');
  return at != authority.npos && authority.substr(0, at).find(':') != authority.npos;
}

}  // namespace

bool MayHoldSecret(std::string_view sql) {
  for (size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] == ':' && IsUrlWithPassword(sql.substr(i))) return true;
    if (!kFirst.is[static_cast<unsigned char>(sql[i])]) continue;
    for (const std::string_view word : kWords) {
      if (BeginsWith(sql.substr(i), word)) return true;
    }
  }
  return false;
}

bool MayQuoteValues(std::string_view sqlstate) {
  const auto is = [sqlstate](std::string_view known) { return sqlstate.starts_with(known); };
  return std::none_of(std::begin(kStateClasses), std::end(kStateClasses), is) &&
         std::none_of(std::begin(kNamingStates), std::end(kNamingStates), is);
}

}  // namespace pgweir::observe
