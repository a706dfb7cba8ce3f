#include "router/call_volatility.h"

#include <algorithm>
#include <array>

#include "router/call_columns.h"
#include "router/text_types.h"

namespace pgweir::router {
namespace {

using Candidates = std::vector<const Overload*>;

// What an argument is matched by: its own type or, of a domain, the one that is made of.
struct ArgumentType {
  enum class Kind : uint8_t { kAny, kUntyped, kKnown } kind = Kind::kAny;
  uint32_t own = 0, base = 0;

  bool IsExactly(uint32_t parameter) const { return parameter == own || parameter == base; }
};

// Types that stand for others, in order: "any", anyarray, anyelement and their kin
// (src/include/catalog/pg_type.dat).
constexpr std::array<uint32_t, 12> kPolymorphic = {2276, 2277, 2283, 2776, 3500, 3831,
                                                   4537, 4538, 5077, 5078, 5079, 5080};

bool IsPolymorphic(uint32_t type) {
  return std::binary_search(kPolymorphic.begin(), kPolymorphic.end(), type);
}

bool Takes(const Overload& overload, size_t arguments) {
  const size_t most = overload.parameters.size();
  const size_t least = most - std::min<size_t>(most, overload.defaults);
  return arguments >= least && (arguments <= most || overload.variadic);
}

// Whether the server considers `better` whenever it considers `other`: both have schemas that a
// name without one may be looked for in.
bool IsSeenWith(const Overload& better, const Overload& other) {
  return better.schema == "pg_catalog" || better.schema == other.schema;
}

// Each parameter takes one argument, of its own type.
bool IsPlain(const Overload& overload) {
  const auto& parameters = overload.parameters;
  return !overload.variadic && std::none_of(parameters.begin(), parameters.end(), IsPolymorphic);
}

// Whether `better` can be called whenever `other` can, and has more arguments' exact types.
bool Beats(const Overload& better, const Overload& other,
           const std::vector<ArgumentType>& arguments) {
  const size_t count = arguments.size();
  if (better.parameters.size() != count || !IsPlain(better)) return false;
  if (other.parameters.size() < count || other.variadic) return false;
  bool more = false;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t wanted = better.parameters[i];
    if (wanted == other.parameters[i]) continue;
    switch (arguments[i].kind) {
      case ArgumentType::Kind::kAny:
        return false;
      case ArgumentType::Kind::kUntyped:
        // It becomes whatever is wanted, and is exactly nothing.
        break;
      case ArgumentType::Kind::kKnown:
        if (wanted != arguments[i].base || arguments[i].IsExactly(other.parameters[i]))
          return false;
        more = true;
        break;
    }
  }
  return more;
}

class Resolution {
 public:
  Resolution(const StatementFacts& statement, const Catalog& catalog)
      : statement_(statement), catalog_(catalog) {}

  std::vector<CalledFunction> Make();

 private:
  void Resolve(const FunctionCall& call);
  Candidates CandidatesOf(const FunctionCall& call) const;
  Candidates Chosen(const FunctionCall& call, const Candidates& candidates) const;
  ArgumentType TypeOf(const CallArgument& argument, const FunctionCall& call) const;
  ArgumentType Known(uint32_t type) const;
  uint32_t ResultOf(const FunctionCall& call, const Candidates& candidates) const;

  const StatementFacts& statement_;
  const Catalog& catalog_;
  std::vector<CalledFunction> called_;
  std::vector<uint32_t> results_;  // of each call its type, 0 when it isn't known
};

std::vector<CalledFunction> Resolution::Make() {
  called_.resize(statement_.functions.size());
  for (const FunctionCall& call : statement_.calls) Resolve(call);
  return std::move(called_);
}

void Resolution::Resolve(const FunctionCall& call) {
  const Candidates chosen = Chosen(call, CandidatesOf(call));
  results_.push_back(ResultOf(call, chosen));
  const QualifiedName& name = statement_.functions[call.function];
  CalledFunction& called = called_[call.function];
  const auto add = [&called](Volatility volatility, bool unseen) {
    called.volatility = std::max(called.volatility.value_or(volatility), volatility);
    called.unseen = called.unseen || unseen;
  };
  for (const Overload* overload : chosen) add(overload->volatility, overload->unseen);
  const Volatility* const by_name = chosen.empty() ? catalog_.VolatilityOf(name) : nullptr;
  if (by_name != nullptr) add(*by_name, catalog_.RunsUnseen(name));
}

Candidates Resolution::CandidatesOf(const FunctionCall& call) const {
  const QualifiedName& name = statement_.functions[call.function];
  Candidates candidates;
  for (const Overload& overload : catalog_.OverloadsOf(name.name)) {
    if (!name.schema.empty() && name.schema != overload.schema) continue;
    if (call.plain && !Takes(overload, call.arguments.size())) continue;
    candidates.push_back(&overload);
  }
  return candidates;
}

// Those that no other one beats.
Candidates Resolution::Chosen(const FunctionCall& call, const Candidates& candidates) const {
  if (!call.plain) return candidates;
  std::vector<ArgumentType> arguments;
  for (const CallArgument& argument : call.arguments) arguments.push_back(TypeOf(argument, call));
  Candidates chosen;
  for (const Overload* overload : candidates) {
    const bool beaten =
        std::any_of(candidates.begin(), candidates.end(), [&](const Overload* other) {
          return IsSeenWith(*other, *overload) && Beats(*other, *overload, arguments);
        });
    if (!beaten) chosen.push_back(overload);
  }
  return chosen;
}

ArgumentType Resolution::TypeOf(const CallArgument& argument, const FunctionCall& call) const {
  switch (argument.kind) {
    case CallArgument::Kind::kAny:
      return {};
    case CallArgument::Kind::kUntyped:
      return {.kind = ArgumentType::Kind::kUntyped};
    case CallArgument::Kind::kType:
      if (argument.bare && catalog_.IsShadowedType(argument.index)) return {};
      return Known(argument.index);
    case CallArgument::Kind::kColumn:
      return Known(
          TypeOfColumn(statement_.call_columns[argument.index], call.level, statement_, catalog_));
    case CallArgument::Kind::kCall:
      return Known(results_[argument.index]);
  }
  return {};
}

ArgumentType Resolution::Known(uint32_t type) const {
  if (type == 0 || type == kUnknownOid || IsPolymorphic(type)) return {};
  return {.kind = ArgumentType::Kind::kKnown, .own = type, .base = catalog_.BaseType(type)};
}

// With one argument it may be no call but a cast, whose type the name is.
uint32_t Resolution::ResultOf(const FunctionCall& call, const Candidates& candidates) const {
  if (candidates.empty() || (call.plain && call.arguments.size() == 1)) return 0;
  const uint32_t result = candidates[0]->result;
  const bool same = std::all_of(candidates.begin(), candidates.end(),
                                [&](const Overload* other) { return other->result == result; });
  return same ? result : 0;
}

}  // namespace

std::vector<CalledFunction> FunctionsCalled(const StatementFacts& statement,
                                            const Catalog& catalog) {
  return Resolution(statement, catalog).Make();
}

}  // namespace pgweir::router
