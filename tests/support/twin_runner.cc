#include "tests/support/twin_runner.h"

#include <algorithm>
#include <set>

#include "fmt/format.h"
#include "tests/support/twin_session.h"

namespace pgweir::test {
namespace {

std::string Fields(const Message& message) {
  std::string text;
  for (size_t at = 0; at < message.body.size() && message.body[at] != 0;) {
    std::string value = message.body.c_str() + at + 1;
    text += fmt::format(" {}={}", message.body[at], value);
    at += 2 + value.size();
  }
  return text;
}

std::string ShowMessage(const Message& message) {
  bool fields = message.type == 'E' || message.type == 'N';
  return fmt::format("{}{}", message.type,
                     fields ? Fields(message) : " " + ShowBytes(message.body));
}

bool Same(const Message& one, const Message& other) {
  return one.type == other.type && one.body == other.body;
}

bool Equal(const TwinAnswer& one, const TwinAnswer& other) {
  return one.end == other.end && one.parameters == other.parameters &&
         std::equal(one.messages.begin(), one.messages.end(), other.messages.begin(),
                    other.messages.end(), Same);
}

// The differences that docs/sessions.md owns up to: in a failed transaction, or when search_path no
// longer finds its table, a statement that this backend has not can't be prepared, and so neither
// described, nor bound wrongly, nor its name be taken.
bool CouldNotPrepare(const TwinAnswer& direct, const TwinAnswer& through) {
  const auto [in_direct, in_through] =
      std::mismatch(direct.messages.begin(), direct.messages.end(), through.messages.begin(),
                    through.messages.end(), Same);
  if (in_direct == direct.messages.end() || in_through == through.messages.end()) return false;
  const bool answered = in_direct->type == 't' || in_direct->type == 'E';
  const bool no_table = in_through->type == 'E' && Field(*in_through, 'C') == "42P01";
  if (no_table && in_direct->type == '1') return true;  // of an EXECUTE
  if (answered && no_table) {
    const auto next = std::next(in_direct);
    return in_direct->type == 'E' || (next != direct.messages.end() && Same(*next, *in_through));
  }
  // A pipeline may end the transaction behind it.
  const auto ready = std::find_if(in_direct, direct.messages.end(),
                                  [](const Message& message) { return message.type == 'Z'; });
  if (ready == direct.messages.end() || ready->body != "E") return false;
  const bool taken = in_direct->type == 'E' && Field(*in_direct, 'C') == "42P05";
  return (answered && in_through->type == 'E' && Field(*in_through, 'C') == "25P02") ||
         (taken && in_through->type == '1');
}

// Likewise docs/sharding.md: the values for a statement that was prepared among others are refused,
// even if there is none because that PREPARE was not carried out.
bool CouldNotRoute(const TwinAnswer& direct, const TwinAnswer& through) {
  if (direct.messages.empty() || through.messages.empty()) return false;
  const Message& one = direct.messages.front();
  const Message& other = through.messages.front();
  return one.type == 'E' && Field(one, 'C') == "26000" && other.type == 'E' &&
         Field(other, 'C') == "0A000" &&
         Field(other, 'M').find("or among others, has no text") != std::string::npos;
}

// What comes before a statement runs: Parse, Bind and the description of its rows.
void DropBeginning(TwinAnswer& answer) {
  std::erase_if(answer.messages, [](const Message& message) {
    return message.type == '1' || message.type == '2' || message.type == 'T';
  });
}

// The steps from `first` that are sent before any of them is read.
size_t EndOfGroup(const TwinScript& script, size_t first) {
  std::set<size_t> clients = {script[first].client};
  size_t end = first + 1;
  while (end < script.size() && script[end - 1].with_next &&
         clients.insert(script[end].client).second) {
    ++end;
  }
  return end;
}

std::vector<TwinAnswer> RunOn(const TwinScript& script, int port) {
  std::vector<TwinSession> sessions;
  for (size_t i = 0; i < kTwinClients; ++i) sessions.emplace_back(port);
  std::vector<TwinAnswer> answers;
  for (size_t first = 0; first < script.size();) {
    size_t end = EndOfGroup(script, first);
    for (size_t i = first; i < end; ++i) sessions.at(script[i].client).Start(script[i]);
    for (size_t i = first; i < end; ++i) {
      answers.push_back(sessions.at(script[i].client).Finish(script[i]));
    }
    first = end;
  }
  for (TwinSession& session : sessions) session.End();
  return answers;
}

}  // namespace

std::string ShowAnswer(const TwinAnswer& answer) {
  std::string text;
  for (const Message& message : answer.messages) text += "    " + ShowMessage(message) + "\n";
  if (!answer.end.empty()) text += fmt::format("    ({})\n", answer.end);
  return text;
}

namespace {

// With the parameters that are not alike.
std::string ShowAgainst(const TwinAnswer& answer, const TwinAnswer& other) {
  std::string text = ShowAnswer(answer);
  for (const auto& [name, value] : answer.parameters) {
    auto at = other.parameters.find(name);
    if (at != other.parameters.end() && at->second == value) continue;
    text += fmt::format("    now reported: {}={}\n", name, value);
  }
  return text;
}

}  // namespace

// When a statement comes to have one plan for all its parameters depends on how often it ran,
// whoever ran it; and with the plan, whether an error comes from Bind or from Execute.
namespace {

constexpr std::string_view kMap =
    "[shards]\n\"X*\" = \"other\"\n\"*\" = \"one\"\n[tables]\nunheard_of = \"symbol\"\n";

std::string ShardedToml(int port) {
  std::string toml = "[databases.\"*\"]\nshard_map = \"shards.toml\"\n";
  for (const char* node : {"other", "one"}) {
    toml += fmt::format("[databases.\"*\".nodes.{}]\nprimary = \"host=127.0.0.1 port={}\"\n", node,
                        port);
  }
  return toml;
}

std::string DatabasesToml(TwinRunner::Database database, int port) {
  if (database == TwinRunner::Database::kSharded) return ShardedToml(port);
  const std::string plain = DatabaseToml("*", port);
  if (database == TwinRunner::Database::kPlain) return plain;
  return plain +
         "[cache]\nenabled = true\nin_transactions = \"until_write\"\n"
         "[[cache.rules]]\npattern = \".\"\nttl = \"10m\"\nverify = 0.5\n";
}

}  // namespace

TwinRunner::TwinRunner(Database database)
    : server_({.settings = {"plan_cache_mode = force_custom_plan"}}), database_(database) {
  server_.Query(
      "create role twin login; create role twin_reader; create role twin_writer; "
      "grant twin_reader, twin_writer to twin");
  server_.Query("create database twin_template");
  std::string tables =
      "create schema alpha; create schema beta; "
      "create table place(name text); insert into place values ('public'); "
      "create table alpha.place(name text); insert into alpha.place values ('alpha'); "
      "create table beta.place(name text); insert into beta.place values ('beta'); "
      "grant usage on schema alpha, beta to public; grant create on schema public to twin; "
      "grant select on place, alpha.place, beta.place to public; ";
  for (size_t i = 0; i < kTwinClients; ++i) {
    tables += fmt::format(
        "create table t{0}(id int primary key, v text not null); "
        "insert into t{0} select i, 'row ' || i from generate_series(1, 12) i; "
        "grant select on t{0} to twin_reader; grant all on t{0} to twin, twin_writer; ",
        i);
  }
  server_.Query(tables, "twin_template");
}

void TwinRunner::FreshDatabase() {
  server_.Query("drop database if exists twin with (force)");
  server_.Query("create database twin template twin_template");
}

std::vector<TwinAnswer> TwinRunner::Run(const TwinScript& script,
                                        const std::optional<std::string>& pool) {
  FreshDatabase();
  if (!pool) return RunOn(script, server_.port());
  PgweirProcess process({.pool = *pool,
                         .databases = DatabasesToml(database_, server_.port()),
                         .log = "level = \"warning\"",
                         .users = "\"postgres\" \"\"\n\"twin\" \"\"\n",
                         .files = {{"shards.toml", std::string(kMap)}}});
  return RunOn(script, process.port());
}

std::optional<TwinDifference> TwinRunner::Compare(const TwinScript& script,
                                                  const std::optional<std::string>& pool) {
  std::vector<TwinAnswer> direct = Run(script, std::nullopt);
  std::vector<TwinAnswer> through = Run(script, pool);
  for (size_t i = 0; i < script.size(); ++i) {
    // A cancel may come before its statement has begun, and after.
    if (script[i].action == TwinAction::kCancel) {
      DropBeginning(direct[i]);
      DropBeginning(through[i]);
    }
    if (Equal(direct[i], through[i]) || CouldNotPrepare(direct[i], through[i]) ||
        CouldNotRoute(direct[i], through[i])) {
      continue;
    }
    return TwinDifference{.step = i,
                          .direct = ShowAgainst(direct[i], through[i]),
                          .through = ShowAgainst(through[i], direct[i])};
  }
  return std::nullopt;
}

}  // namespace pgweir::test
