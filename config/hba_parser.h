#pragma once

#include <optional>
#include <string_view>

#include "config/faults.h"
#include "config/hba.h"
#include "config/hba_tokens.h"

namespace pgweir::config {

// Reads one record of pg_hba.conf: type, databases, users, where from, method, options.
class HbaParser {
 public:
  HbaParser(const HbaRecord& record, Faults& faults) : record_(record), faults_(faults) {}

  // None when there is a fault.
  std::optional<HbaRules::Rule> Read();

 private:
  using Rule = HbaRules::Rule;

  bool ReadType();
  bool ReadDatabases();
  bool ReadUsers();
  bool ReadAddress();
  bool ReadMask(const HbaToken& address);
  bool ReadMethod();
  bool ReadOption(const HbaToken& option);
  bool ReadClientCert(const HbaToken& option, std::string_view value);

  // The next field; null with a fault when the record is over.
  const HbaField* Next(std::string_view what);
  // As Next, of one value.
  const HbaToken* NextWord(std::string_view what);
  // What no list of names may hold; false with a fault.
  bool CheckName(const HbaToken& token);
  bool Fault(const HbaToken& at, std::string_view message);

  const HbaRecord& record_;
  Faults& faults_;
  size_t next_ = 0;
  bool hostssl_ = false;
  Rule rule_;
};

}  // namespace pgweir::config
