#include "config/hba.h"

#include <algorithm>

#include "config/file.h"
#include "config/hba_parser.h"
#include "config/hba_tokens.h"

namespace pgweir::config {

bool HbaRules::Fits(const Rule& rule, const HbaRequest& request, const OwnAddresses& own) {
  using Kind = Rule::Name::Kind;
  if (rule.never_ || rule.unix_socket_ == request.address.has_value()) return false;
  if (rule.encrypted_.has_value() && *rule.encrypted_ != request.encrypted) return false;

  const auto contains = [&](const std::vector<IpRange>& ranges) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const IpRange& range) { return range.Contains(*request.address); });
  };
  const auto from_there = [&] {
    switch (rule.address_.kind) {
      case Rule::Address::Kind::kRange:
        return rule.address_.range->Contains(*request.address);
      case Rule::Address::Kind::kSameHost:
        return contains(own.hosts);
      case Rule::Address::Kind::kSameNet:
        return contains(own.networks);
      case Rule::Address::Kind::kAll:
        break;
    }
    return true;
  };
  const auto is_database = [&](const Rule::Name& name) {
    // Physical replication has no database, so that "all" does not mean it.
    if (request.physical_replication) return name.kind == Kind::kReplication;
    if (name.kind == Kind::kSameUser) return request.database == request.user;
    return name.kind == Kind::kAll || (name.kind == Kind::kName && name.text == request.database);
  };
  const auto is_user = [&](const Rule::Name& name) {
    return name.kind == Kind::kAll || name.text == request.user;
  };
  return (rule.unix_socket_ || from_there()) &&
         std::any_of(rule.databases_.begin(), rule.databases_.end(), is_database) &&
         std::any_of(rule.users_.begin(), rule.users_.end(), is_user);
}

const HbaRules::Rule* HbaRules::Find(const HbaRequest& request, const OwnAddresses& own) const {
  const auto it = std::find_if(rules_.begin(), rules_.end(),
                               [&](const Rule& rule) { return Fits(rule, request, own); });
  return it == rules_.end() ? nullptr : &*it;
}

bool HbaRules::wants_certificates() const {
  return std::any_of(rules_.begin(), rules_.end(), [](const Rule& rule) {
    return rule.method == HbaMethod::kCert || rule.client_cert != ClientCert::kNo;
  });
}

StatusOr<HbaRules> LoadHba(const std::string& path) {
  const auto text = ReadFile(path, kMaxHbaFileBytes);
  if (text.ok()) return ParseHba(*text, path);
  return Errorf(sqlstate::kConfigFileError, "{}:1:1: {}", path, MessageOf(text.status()));
}

StatusOr<HbaRules> ParseHba(std::string_view text, const std::string& path) {
  Faults faults(path);
  HbaRules result;
  for (const HbaRecord& record : ScanHbaRecords(text, faults)) {
    auto rule = HbaParser(record, faults).Read();
    if (rule.has_value()) result.rules_.push_back(*std::move(rule));
  }
  const Status status = faults.ToStatus();
  if (!status.ok()) return status;
  return result;
}

}  // namespace pgweir::config
