#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/twin_runner.h"
#include "tests/support/twin_script.h"
#include "tests/support/twin_statements.h"

namespace pgweir::test {

// Which features scripts have: $PGWEIR_TWIN_ONLY and $PGWEIR_TWIN_WITHOUT, names with commas.
struct TwinChoice {
  std::vector<std::string> only;
  std::vector<std::string> without;

  static TwinChoice FromEnvironment();
  bool Allows(std::string_view feature) const;
};

// A random script of what clients do, the same from the same seed. Clients are independent of each
// other: tables, channels and locks are each one's own, and no more than two are in a transaction
// or keep a backend otherwise at a time, as far as can be told without running it.
//
// Left out is what pgweir documents to be otherwise: RESET of what start-up has set, and what names
// backends, prepared statements on the server or the moment.
class TwinGenerator {
 public:
  TwinGenerator(uint64_t seed, TwinChoice choice) : random_(seed), choice_(std::move(choice)) {}

  TwinScript Make(size_t steps);

 private:
  struct Client {
    size_t number = 0;
    bool connected = false;
    bool superuser = false;
    bool startup_settings = false;
    bool holds = false;  // is one of the two
    bool in_transaction = false;
    bool pinned = false;
    int left = 0;  // steps until it gives up what it holds
    std::map<std::string, const TwinText*, std::less<>> statements = {};  // "" = the unnamed one
  };
  using Feature = void (TwinGenerator::*)(Client&);
  struct Weighted {
    const char* name;
    int weight;
    Feature make;
  };
  static const std::vector<Weighted> kFeatures;

  // --- twin_generator.cc: who, when, and transactions ---
  Client& PickClient();
  bool MayHold(Client& client);
  void Release(Client& client);
  TwinStep& Add(Client& client, std::vector<std::string> messages);
  // One statement, by either protocol.
  void Run(Client& client, std::string_view sql);
  void RunSimple(Client& client, std::string_view sql);
  void Connect(Client& client);
  void Disconnect(Client& client);
  void Begin(Client& client);
  void End(Client& client);
  void Transaction(Client& client);
  void Savepoint(Client& client);
  void Cancel(Client& client);

  // The SQL of this client. After a custom setting's end the server has it still, empty: without
  // "placeholder" that is not told from a setting that never was.
  std::string Sql(std::string_view sql, const Client& client) const;

  // --- twin_sql_features.cc ---
  void Simple(Client& client);
  void Multi(Client& client);
  void Error(Client& client);
  void Set(Client& client, const TwinSetting& setting);
  void Reported(Client& client);
  void Unreported(Client& client);
  void Show(Client& client);
  void Role(Client& client);
  void Discard(Client& client);
  void Prepare(Client& client);
  void Temporary(Client& client);
  void Listen(Client& client);
  void Advisory(Client& client);
  void Hold(Client& client);
  void Do(Client& client);
  void Table(Client& client);
  void CopySimple(Client& client);

  // --- twin_batch_features.cc ---
  const TwinText& PickText();
  std::string BindTo(std::string_view portal, std::string_view statement, const TwinText* text);
  void Named(Client& client);
  void Unnamed(Client& client);
  void BadBatch(Client& client);
  void Portals(Client& client);
  void Pipeline(Client& client);
  void CopyExtended(Client& client);
  void Call(Client& client);

  TwinRandom random_;
  TwinChoice choice_;
  TwinScript script_;
  std::vector<Client> clients_;
  const char* feature_ = "";
};

}  // namespace pgweir::test
