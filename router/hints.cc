#include "router/hints.h"

#include <utility>

#include "config/duration.h"
#include "router/char_class.h"

namespace pgweir::router {
namespace {

constexpr size_t kMaxShown = 64;

std::string Shown(std::string_view text) {
  return std::string(text.substr(0, kMaxShown)) + (text.size() > kMaxShown ? "..." : "");
}

Status BadValue(std::string_view key, std::string_view value, std::string_view expected) {
  return Errorf(sqlstate::kInvalidParameterValue, "pgweir: {}={}: must be {}", key, Shown(value),
                expected);
}

Status SetRole(std::string_view value, Hints& hints) {
  if (value == "auto") {
    hints.role = Hints::Role::kAuto;
  } else if (value == "primary") {
    hints.role = Hints::Role::kPrimary;
  } else if (value == "replica") {
    hints.role = Hints::Role::kReplica;
  } else {
    return BadValue("role", value, "primary, replica or auto");
  }
  return absl::OkStatus();
}

Status SetCache(std::string_view value, Hints& hints) {
  if (value == "off") {
    hints.cache = Hints::Cache{true, {}};
    return absl::OkStatus();
  }
  const auto ttl = config::ParseDuration(value);
  if (!ttl) return BadValue("cache", value, "a duration such as 60s, or off");
  hints.cache = Hints::Cache{false, *ttl};
  return absl::OkStatus();
}

// The pairs of one comment, behind its "pgweir:".
class HintReader {
 public:
  explicit HintReader(std::string_view text) : text_(text) {}

  Status Read(Hints& hints) {
    SkipSpace();
    if (at_ == text_.size()) return absl::OkStatus();
    while (true) {
      const std::string_view key = Word();
      SkipSpace();
      if (key.empty() || !Take('=')) return Bad();
      SkipSpace();
      std::string value;
      if (!ReadValue(value)) return Bad();
      if (Status status = SetOnce(key, value, hints); !status.ok()) return status;
      SkipSpace();
      if (at_ == text_.size()) return absl::OkStatus();
      if (!Take(',')) return Bad();
      SkipSpace();
    }
  }

 private:
  Status Bad() const {
    return Errorf(sqlstate::kInvalidParameterValue,
                  "pgweir:{}: must be key=value, several with commas between", Shown(text_));
  }
  void SkipSpace() {
    while (at_ < text_.size() && Is(text_[at_], kSpace)) ++at_;
  }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view Word() {
    const size_t begin = at_;
    while (at_ < text_.size() && Is(text_[at_], kNamePart)) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  bool ReadValue(std::string& value) {
    if (!Take('\'')) {
      const size_t begin = at_;
      while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\'' &&
             !Is(text_[at_], kSpace)) {
        ++at_;
      }
      value = text_.substr(begin, at_ - begin);
      return !value.empty();
    }
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\'' && !Take('\'')) return true;
      value += c;
    }
    return false;
  }
  static Status SetOnce(std::string_view key, std::string_view value, Hints& hints) {
    Hints one;
    if (Status status = SetHint(key, value, one); !status.ok()) return status;
    const bool repeats = (one.shard && hints.shard) || (one.symbol && hints.symbol) ||
                         (one.role && hints.role) || (one.label && hints.label) ||
                         (one.cache && hints.cache);
    if (repeats) {
      return Errorf(sqlstate::kInvalidParameterValue, "pgweir: {} is given twice", key);
    }
    return SetHint(key, value, hints);
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Status SetHint(std::string_view key, std::string_view value, Hints& hints) {
  if (key == "role") return SetRole(value, hints);
  if (key == "cache") return SetCache(value, hints);
  std::optional<std::string>* const text = key == "shard"    ? &hints.shard
                                           : key == "symbol" ? &hints.symbol
                                           : key == "label"  ? &hints.label
                                                             : nullptr;
  if (text == nullptr) {
    return Errorf(sqlstate::kInvalidParameterValue,
                  "pgweir: unknown key \"{}\"; there are shard, symbol, role, label and cache",
                  Shown(key));
  }
  if (value.empty() && key != "symbol") return BadValue(key, value, "a name");
  *text = std::string(value);
  return absl::OkStatus();
}

StatusOr<Hints> HintsOf(std::string_view sql, const SqlScan& scan) {
  Hints hints;
  for (const SpokenComment& comment : scan.comments()) {
    if (comment.kind != SpokenComment::Kind::kSteering) continue;
    const std::string_view body = comment.body.In(sql);
    HintReader reader(body.substr(body.find(':') + 1));
    if (Status status = reader.Read(hints); !status.ok()) return status;
  }
  return hints;
}

StatusOr<std::optional<NodeId>> HintedNode(const Hints& hints, const ShardMap& map) {
  std::optional<NodeId> node;
  if (hints.symbol) node = map.NodeFor(*hints.symbol);
  if (!hints.shard) return node;
  const auto named = map.Find(*hints.shard);
  if (!named) {
    return BadValue("shard", *hints.shard, fmt::format("a node: {}", fmt::join(map.nodes(), ", ")));
  }
  if (node && *node != *named) {
    return Errorf(sqlstate::kInvalidParameterValue, "pgweir: symbol={} lies on {}, not on shard={}",
                  Shown(*hints.symbol), map.NameOf(*node), *hints.shard);
  }
  return named;
}

}  // namespace pgweir::router
