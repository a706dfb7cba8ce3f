#include "tests/support/twin_generator.h"

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <sstream>

#include "fmt/format.h"

namespace pgweir::test {
namespace {

constexpr int kHolders = 2;

std::vector<std::string> Names(const char* variable) {
  const char* text = std::getenv(variable);
  std::istringstream in(text == nullptr ? "" : text);
  std::vector<std::string> names;
  for (std::string name; std::getline(in, name, ',');) names.push_back(name);
  return names;
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

const std::vector<TwinGenerator::Weighted> TwinGenerator::kFeatures = {
    {"simple", 6, &TwinGenerator::Simple},
    {"multi", 5, &TwinGenerator::Multi},
    {"error", 5, &TwinGenerator::Error},
    {"reported", 6, &TwinGenerator::Reported},
    {"unreported", 8, &TwinGenerator::Unreported},
    {"show", 8, &TwinGenerator::Show},
    {"role", 4, &TwinGenerator::Role},
    {"discard", 2, &TwinGenerator::Discard},
    {"prepare", 6, &TwinGenerator::Prepare},
    {"temporary", 3, &TwinGenerator::Temporary},
    {"listen", 3, &TwinGenerator::Listen},
    {"advisory", 3, &TwinGenerator::Advisory},
    {"hold", 2, &TwinGenerator::Hold},
    {"do", 2, &TwinGenerator::Do},
    {"table", 5, &TwinGenerator::Table},
    {"copy", 4, &TwinGenerator::CopySimple},
    {"named", 16, &TwinGenerator::Named},
    {"unnamed", 6, &TwinGenerator::Unnamed},
    {"badbatch", 5, &TwinGenerator::BadBatch},
    {"portals", 4, &TwinGenerator::Portals},
    {"pipeline", 6, &TwinGenerator::Pipeline},
    {"copybatch", 3, &TwinGenerator::CopyExtended},
    {"call", 1, &TwinGenerator::Call},
    {"transaction", 8, &TwinGenerator::Transaction},
    {"savepoint", 5, &TwinGenerator::Savepoint},
    {"cancel", 1, &TwinGenerator::Cancel},
    {"disconnect", 3, &TwinGenerator::Disconnect},
};

TwinChoice TwinChoice::FromEnvironment() {
  return {.only = Names("PGWEIR_TWIN_ONLY"), .without = Names("PGWEIR_TWIN_WITHOUT")};
}

bool TwinChoice::Allows(std::string_view feature) const {
  return (only.empty() || Contains(only, feature)) && !Contains(without, feature);
}

TwinScript TwinGenerator::Make(size_t steps) {
  std::vector<Weighted> features;
  for (const Weighted& feature : kFeatures) {
    if (!choice_.Allows(feature.name)) continue;
    for (int i = 0; i < feature.weight; ++i) features.push_back(feature);
  }
  for (size_t i = 0; i < kTwinClients; ++i) {
    clients_.push_back({.number = i});
    Connect(clients_.back());
  }
  while (script_.size() < steps && !features.empty()) {
    Client& client = PickClient();
    const Weighted& feature = random_.Pick(features);
    feature_ = feature.name;
    (this->*feature.make)(client);
    if (client.holds && --client.left <= 0) Release(client);
  }
  return std::move(script_);
}

TwinGenerator::Client& TwinGenerator::PickClient() {
  // Those who hold a backend come more often, so that they do much and give it up soon.
  for (int tries = random_.Below(3); tries > 0; --tries) {
    Client& client = clients_[static_cast<size_t>(random_.Below(kTwinClients))];
    if (client.holds) return client;
  }
  return clients_[static_cast<size_t>(random_.Below(kTwinClients))];
}

bool TwinGenerator::MayHold(Client& client) {
  if (client.holds) return true;
  auto holds = [](const Client& other) { return other.holds; };
  if (std::count_if(clients_.begin(), clients_.end(), holds) >= kHolders) return false;
  client.holds = true;
  client.left = 3 + random_.Below(9);
  return true;
}

void TwinGenerator::Release(Client& client) {
  feature_ = "release";
  if (client.in_transaction) End(client);
  if (client.pinned && choice_.Allows("disconnect") && random_.Chance(30)) {
    Disconnect(client);
  } else if (client.pinned && choice_.Allows("discard") && !client.startup_settings &&
             random_.Chance(40)) {
    Run(client, "discard all");
    client.statements.clear();
  } else if (client.pinned) {
    Run(client, "unlisten *");
    Run(client, "close all");
    Run(client, "discard temp");
    Run(client, "select pg_advisory_unlock_all()");
  }
  client.pinned = false;
  client.holds = false;
}

TwinStep& TwinGenerator::Add(Client& client, std::vector<std::string> messages) {
  TwinStep step{.client = client.number, .feature = feature_, .messages = std::move(messages)};
  step.with_next = random_.Chance(15);
  script_.push_back(std::move(step));
  return script_.back();
}

std::string TwinGenerator::Sql(std::string_view sql, const Client& client) const {
  std::string text = ForClient(sql, client.number);
  if (choice_.Allows("placeholder")) return text;
  static const std::regex kShow("show (app\\.[a-z0-9]+)", std::regex::icase);
  static const std::regex kCurrent("current_setting\\('(app\\.[a-z0-9]+)', true\\)");
  text = std::regex_replace(text, kShow, "select current_setting('$1', true)");
  return std::regex_replace(text, kCurrent, "nullif(current_setting('$1', true), '')");
}

void TwinGenerator::RunSimple(Client& client, std::string_view sql) {
  client.statements.erase("");
  Add(client, {fe::Query(Sql(sql, client))});
}

void TwinGenerator::Run(Client& client, std::string_view sql) {
  if (random_.Chance(60)) return RunSimple(client, sql);
  client.statements.erase("");
  Add(client, {fe::Parse("", Sql(sql, client)), fe::Bind("", ""), fe::Describe('P', ""),
               fe::Execute(""), fe::Sync()});
}

void TwinGenerator::Connect(Client& client) {
  client = {.number = client.number, .connected = true};
  client.superuser = choice_.Allows("superuser") && random_.Chance(15);
  TwinStep step{.client = client.number, .action = TwinAction::kConnect, .feature = "connect"};
  step.startup = {{"user", client.superuser ? "postgres" : "twin"}, {"database", "twin"}};
  if (choice_.Allows("startup") && random_.Chance(35)) {
    client.startup_settings = true;
    auto some = [&](const char* name, std::string value) {
      if (random_.Chance(50)) step.startup.emplace_back(name, std::move(value));
    };
    some("application_name", fmt::format("started {}", client.number));
    some("TimeZone", random_.Chance(50) ? "Asia/Kolkata" : "Europe/Lisbon");
    some("DateStyle", "SQL, DMY");
    some("search_path", "beta, public");
    some("options", random_.Chance(50) ? "-c work_mem=6MB -c app.tenant=started\\ tenant"
                                       : "-c statement_timeout=33s --extra-float-digits=0");
  }
  script_.push_back(std::move(step));
}

void TwinGenerator::Disconnect(Client& client) {
  constexpr std::array kWays = {TwinAction::kTerminate, TwinAction::kHalfClose, TwinAction::kReset};
  TwinStep step{.client = client.number, .action = random_.Pick(kWays), .feature = feature_};
  if (step.action == TwinAction::kReset && random_.Chance(70)) {
    constexpr std::string_view kRunning[] = {
        "select pg_sleep(0.02)", "select repeat('x', 1000) from generate_series(1, 20000)",
        "begin; select 1", "set work_mem = '17MB'; select 1"};
    step.messages = {fe::Query(random_.Pick(kRunning))};
  }
  script_.push_back(std::move(step));
  Connect(client);
}

void TwinGenerator::Begin(Client& client) {
  constexpr std::string_view kWays[] = {"begin", "start transaction",
                                        "begin isolation level "
                                        "repeatable read",
                                        "begin read only"};
  client.in_transaction = true;
  Run(client, random_.Chance(60) ? kWays[0] : random_.Pick(kWays));
}

void TwinGenerator::End(Client& client) {
  constexpr std::string_view kWays[] = {"commit", "rollback", "end", "abort", "commit and chain"};
  std::string_view way = random_.Pick(kWays);
  Run(client, way);
  if (way == "commit and chain") Run(client, "commit");
  client.in_transaction = false;
}

void TwinGenerator::Transaction(Client& client) {
  if (client.in_transaction) return random_.Chance(50) ? End(client) : Savepoint(client);
  if (MayHold(client)) Begin(client);
}

void TwinGenerator::Savepoint(Client& client) {
  constexpr std::string_view kWays[] = {"savepoint a",         "savepoint b",
                                        "rollback to a",       "rollback to b",
                                        "release savepoint a", "rollback to savepoint a"};
  if (!client.in_transaction) {
    if (!MayHold(client)) return;
    Begin(client);
    Run(client, "savepoint a");
  }
  if (random_.Chance(50)) {
    Unreported(client);
  } else if (random_.Chance(30)) {
    Reported(client);
  }
  Run(client, random_.Pick(kWays));
}

void TwinGenerator::Cancel(Client& client) {
  bool simple = random_.Chance(50);
  TwinStep& step = simple ? Add(client, {fe::Query("select pg_sleep(4)")})
                          : Add(client, {fe::Parse("", "select pg_sleep(4)"), fe::Bind("", ""),
                                         fe::Execute(""), fe::Sync()});
  client.statements.erase("");
  step.action = TwinAction::kCancel;
  step.with_next = false;
  step.whole = true;
}

}  // namespace pgweir::test
