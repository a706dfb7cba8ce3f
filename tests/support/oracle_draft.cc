#include "tests/support/oracle_draft.h"

#include "fmt/format.h"

namespace pgweir::test {
namespace {

constexpr uint32_t kInt8 = 20, kText = 25, kTextArray = 1009, kVarchar = 1043;

std::string BigEndian(uint64_t value, int bytes) {
  std::string text;
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    text += static_cast<char>(value >> shift & 0xff);
  }
  return text;
}

// A null pointer is an element that is NULL.
using Elements = std::vector<std::optional<std::string>>;

std::string BinaryArray(const Elements& elements) {
  if (elements.empty()) return BigEndian(0, 4) + BigEndian(0, 4) + BigEndian(kText, 4);
  std::string bytes = BigEndian(1, 4) + BigEndian(1, 4) + BigEndian(kText, 4) +
                      BigEndian(elements.size(), 4) + BigEndian(1, 4);
  for (const auto& element : elements) {
    bytes += element ? BigEndian(element->size(), 4) + *element : BigEndian(UINT32_MAX, 4);
  }
  return bytes;
}

std::string TextArray(const Elements& elements) {
  std::string text = "{";
  for (const auto& element : elements) {
    if (text.size() > 1) text += ",";
    if (!element) {
      text += "NULL";
      continue;
    }
    text += '"';
    for (const char c : *element) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

}  // namespace

const std::vector<std::vector<std::string_view>> kOracleSymbols = {
    {"BTC", "BTCUSDT", "BTCEUR", "BTC'S", "BTC\xc3\x9c", "BTC "},
    {"ETH", "ETHUSDT", "ETHWX", "ETH\"2", "ETHW "},
    {"XRP", "XRPUSDT", "ETHW", "XRP\\"},
    {"", "BT", "btcusdt", "SOLUSDT", "\xc3\x9cNI", "A%_", "BTD", "XR", " BTC"},
};

std::string OracleDraft::Symbol() { return Make(What::kSymbol); }
std::string OracleDraft::Key() { return Make(decided() ? What::kKey : What::kSymbol); }
std::string OracleDraft::Prefix() { return Make(What::kPrefix); }
std::string OracleDraft::Pattern() { return Make(What::kPattern); }
std::string OracleDraft::Symbols() { return Make(What::kSymbols); }
std::string OracleDraft::Keys() { return Make(decided() ? What::kKeys : What::kSymbols); }
std::string OracleDraft::Number() { return Make(What::kNumber); }

std::string OracleDraft::Make(What what) {
  if (form_ != OracleForm::kSimple && random_.Chance(60)) return Parameter(what);
  if (what == What::kKey || what == What::kKeys) fixed_ = true;
  const std::string text = Text(what);
  if (what == What::kNumber) return text;
  const bool array = what == What::kSymbols || what == What::kKeys;
  switch (random_.Below(8)) {
    case 0:
      return Literal(text) + (array ? "::text[]" : "::text");
    case 1:
      return fmt::format("CAST({} AS {})", Literal(text), array ? "varchar[]" : "varchar");
    default:
      return Literal(text);
  }
}

std::string OracleDraft::Parameter(What what) {
  const bool array = what == What::kSymbols || what == What::kKeys;
  Slot slot{what, 0, false};
  if (what == What::kNumber) {
    if (random_.Chance(50)) slot = {what, kInt8, random_.Chance(50)};
  } else if (random_.Chance(60)) {
    slot.type = array ? kTextArray : random_.Chance(50) ? kText : kVarchar;
  }
  if (what != What::kNumber) slot.binary = random_.Chance(40);
  slots_.push_back(slot);
  const std::string name = fmt::format("${}", slots_.size());
  // A parameter of no type may be an array of varchar, which has bytes of its own.
  if (array && slot.type == 0) return name + "::text[]";
  if (what == What::kNumber || !random_.Chance(20)) return name;
  return name + (array ? "::text[]" : random_.Chance(50) ? "::text" : "::varchar");
}

// As its value may be written: plain, with escapes, between dollars.
std::string OracleDraft::Literal(const std::string& text) {
  switch (random_.Below(12)) {
    case 0: {
      std::string escaped = "E'";
      for (const char c : text) {
        if (c == '\'' || c == '\\') escaped += '\\';
        escaped += c;
      }
      return escaped + "'";
    }
    case 1:
      return "$q$" + text + "$q$";
    case 2:
      if (text.find_first_of("\\'") != std::string::npos || text.empty()) break;
      if (static_cast<unsigned char>(text[0]) > 127) break;
      return fmt::format("U&'\\{:04x}{}'", static_cast<int>(text[0]), text.substr(1));
    default:
      break;
  }
  return Quoted(text);
}

std::string OracleDraft::RollSymbol(What what) {
  const bool key = (what == What::kKey || what == What::kKeys) && decided();
  while (true) {
    const size_t node = key ? *node_ : static_cast<size_t>(random_.Below(kOracleNodes));
    const std::string symbol(random_.Pick(kOracleSymbols[node]));
    // Of a char(n) they would be another symbol.
    if (!key || !symbol.ends_with(' ')) return symbol;
  }
}

std::string OracleDraft::Text(What what) {
  switch (what) {
    case What::kNumber:
      return std::to_string(random_.Below(5));
    case What::kPrefix: {
      const std::string symbol = RollSymbol(what);
      // Not within a character.
      const size_t length = static_cast<size_t>(random_.Below(5));
      return symbol.find('\xc3') < length ? symbol : symbol.substr(0, length);
    }
    case What::kPattern: {
      constexpr const char* kEnds[] = {"%", "_", "%%", "_%", "", "%T"};
      const std::string symbol = RollSymbol(what);
      if (symbol.ends_with('\\')) return "XRP%";  // an escape without a character is an error
      return (random_.Chance(10) ? "%" : "") + symbol + random_.Pick(kEnds);
    }
    case What::kSymbols:
    case What::kKeys: {
      Elements elements;
      const int count = random_.Below(4);
      for (int i = what == What::kKeys ? 0 : 1; i <= count; ++i) {
        if (random_.Chance(8)) {
          elements.push_back(std::nullopt);
        } else {
          elements.push_back(RollSymbol(what));
        }
      }
      return TextArray(elements);
    }
    default:
      return RollSymbol(what);
  }
}

OracleValue OracleDraft::Roll(const Slot& slot) {
  OracleValue value;
  value.binary = slot.binary;
  const bool array = slot.what == What::kSymbols || slot.what == What::kKeys;
  if (slot.binary && array) {
    Elements elements;
    for (int i = random_.Below(4); i > 0; --i) {
      elements.push_back(random_.Chance(8) ? std::nullopt : std::optional(RollSymbol(slot.what)));
    }
    value.bytes = BinaryArray(elements);
    value.shown = Quoted(TextArray(elements));
    return value;
  }
  value.null = slot.what != What::kKey && random_.Chance(4);
  const std::string text = Text(slot.what);
  value.shown = slot.what == What::kNumber ? text : Quoted(text);
  value.bytes = slot.what == What::kNumber && slot.binary ? BigEndian(std::stoull(text), 8) : text;
  return value;
}

OracleStep OracleDraft::Finish(const char* kind, std::string sql) {
  OracleStep step{.kind = kind, .form = form_, .sql = std::move(sql)};
  step.decided = decided();
  step.binary_result = form_ != OracleForm::kSimple && random_.Chance(15);
  for (const Slot& slot : slots_) step.types.push_back(slot.type);
  const int executions = form_ == OracleForm::kPrepared ? 1 + random_.Below(4) : 1;
  for (int i = 0; i < executions; ++i) {
    // Only parameters decide: they may as well lead to another node.
    if (i > 0 && decided() && !fixed_) node_ = static_cast<size_t>(random_.Below(kOracleNodes));
    std::vector<OracleValue>& values = step.executions.emplace_back();
    for (const Slot& slot : slots_) values.push_back(Roll(slot));
  }
  return step;
}

}  // namespace pgweir::test
