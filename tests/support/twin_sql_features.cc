// The generator's features that are plain SQL.

#include "fmt/format.h"
#include "tests/support/twin_generator.h"

namespace pgweir::test {

void TwinGenerator::Simple(Client& client) {
  constexpr std::string_view kSql[] = {
      "select {c}",
      "select generate_series(1, 5)",
      "",
      "-- nothing",
      "/* tenant {c} */ select 1",
      "select current_user, session_user",
      "select v from public.t{c} order by id",
      "select name from place",
      "select to_timestamp(86400), interval '1 day 2 hours', 'a\\b'",
      "select 1 as one, null as nothing, 'x' as x where true"};
  Run(client, random_.Pick(kSql));
}

void TwinGenerator::Multi(Client& client) {
  // An error may leave a transaction open.
  if (!MayHold(client)) return;
  client.in_transaction = true;
  RunSimple(client, random_.Pick(kTwinMulti));
}

void TwinGenerator::Error(Client& client) { Run(client, random_.Pick(kTwinErrors)); }

void TwinGenerator::Set(Client& client, const TwinSetting& setting) {
  std::string_view value = random_.Pick(setting.values);
  int way = random_.Below(10);
  // What start-up has given doesn't come back by RESET through pgweir.
  bool resets = value == "default" || way == 9;
  if (resets && client.startup_settings) return;
  if (way == 9) return Run(client, fmt::format("reset {}", setting.name));
  // A list is several literals, and an empty one is a word's end: only SET takes them as they are.
  bool literal = value.front() == '\'';
  if (way == 8 && literal) {
    return Run(client, fmt::format("select set_config('{}', {}, {})", setting.name, value,
                                   random_.Chance(50)));
  }
  constexpr std::string_view kHow[] = {"set", "set", "set session", "set local"};
  Run(client, fmt::format("{} {} to {}", random_.Pick(kHow), setting.name, value));
}

void TwinGenerator::Reported(Client& client) { Set(client, random_.Pick(kTwinReported)); }

void TwinGenerator::Unreported(Client& client) { Set(client, random_.Pick(kTwinUnreported)); }

void TwinGenerator::Show(Client& client) {
  const TwinSetting& setting = random_.Pick(random_.Chance(40) ? kTwinReported : kTwinUnreported);
  if (random_.Chance(40)) return Run(client, fmt::format("show {}", setting.name));
  // Somebody else's setting may be asked for too: it must not be there.
  size_t about =
      random_.Chance(80) ? client.number : static_cast<size_t>(random_.Below(kTwinClients));
  Run(client, ForClient(fmt::format("select current_setting('{}', true)", setting.name), about));
}

void TwinGenerator::Role(Client& client) {
  constexpr std::string_view kSql[] = {"set role twin_reader",
                                       "set role twin_writer",
                                       "set role none",
                                       "reset role",
                                       "set local role twin_reader",
                                       "set role nobody_of_this_name",
                                       "select current_user, session_user",
                                       "set session authorization twin",
                                       "reset session authorization",
                                       "set session authorization default"};
  Run(client, random_.Pick(kSql));
}

void TwinGenerator::Discard(Client& client) {
  if (client.startup_settings) return;
  constexpr std::string_view kSql[] = {"discard all", "reset all", "deallocate all",
                                       "discard plans", "discard sequences"};
  std::string_view sql = random_.Pick(kSql);
  Run(client, sql);
  if (!client.in_transaction && (sql == "discard all" || sql == "deallocate all")) {
    client.statements.clear();
  }
}

void TwinGenerator::Prepare(Client& client) {
  constexpr std::string_view kSql[] = {
      "prepare s1 as select 'prepared by {c}'",
      "prepare s2 as select name from place",
      "prepare q1(int) as select $1 + {c}",
      "prepare q2 as update public.t{c} set v = v || '.' where id = 1",
      "prepare \"Quoted {c}\" as select 'quoted {c}'",
      "execute s1",
      "execute s2",
      "execute q1({c})",
      "execute q1(1, 2)",
      "execute q2",
      "execute \"Quoted {c}\"",
      "explain (costs off) execute s2",
      "create table if not exists made{c} as execute s1",
      "deallocate s1",
      "deallocate prepare q1",
      "deallocate \"Quoted {c}\"",
      "deallocate all"};
  std::string_view sql = random_.Pick(kSql);
  Run(client, sql);
  if (sql == "prepare s1 as select 'prepared by {c}'") client.statements.erase("s1");
}

void TwinGenerator::Temporary(Client& client) {
  if (!MayHold(client)) return;
  client.pinned = true;
  constexpr std::string_view kSql[] = {
      "create temp table scratch(id int, v text)",
      "create temp table scratch as select {c} as id, 'temporary {c}' as v",
      "insert into scratch values ({c}, 'put by {c}')",
      "select * from scratch",
      "drop table scratch",
      "create temp table passing(id int) on commit drop",
      "create temp view seen as select {c} as id",
      "select * from seen",
      "create temp sequence counted",
      "select nextval('counted')",
      "discard temp"};
  Run(client, random_.Pick(kSql));
}

void TwinGenerator::Listen(Client& client) {
  if (!MayHold(client)) return;
  client.pinned = true;
  constexpr std::string_view kSql[] = {
      "listen news_{c}",           "listen \"More {c}\"",
      "unlisten news_{c}",         "unlisten *",
      "notify news_{c}, 'by {c}'", "select pg_notify('news_{c}', 'called by {c}')",
      "notify \"More {c}\"",       "select pg_listening_channels()"};
  Run(client, random_.Pick(kSql));
}

void TwinGenerator::Advisory(Client& client) {
  if (!MayHold(client)) return;
  client.pinned = true;
  constexpr std::string_view kSql[] = {
      "select pg_advisory_lock({c})",
      "select pg_advisory_unlock({c})",
      "select pg_advisory_lock_shared({c}, 1)",
      "select pg_advisory_unlock_shared({c}, 1)",
      "select pg_advisory_xact_lock({c})",
      "select pg_try_advisory_xact_lock({c}, 2)",
      "select pg_advisory_unlock_all()",
      "select count(*) from pg_locks where locktype = 'advisory' and objid = {c} and granted"};
  Run(client, random_.Pick(kSql));
}

void TwinGenerator::Hold(Client& client) {
  if (!MayHold(client)) return;
  client.pinned = true;
  constexpr std::string_view kSql[] = {
      "declare kept cursor with hold for select id, v from public.t{c} order by id",
      "fetch 2 from kept",
      "fetch backward 1 from kept",
      "move 3 in kept",
      "close kept",
      "close all",
      "declare brief cursor for select generate_series(1, 10)",
      "fetch 3 from brief"};
  Run(client, random_.Pick(kSql));
}

void TwinGenerator::Do(Client& client) {
  constexpr std::string_view kSql[] = {
      "do $$ begin update public.t{c} set v = 'done' where id = 3; end $$",
      "do $$ begin raise notice 'client {c} says'; end $$",
      "do $$ begin perform 1 from public.t{c}; end $$",
      "do $$ begin perform set_config('app.hidden{c}', 'by client {c}', false); end $$",
      "do $$ begin set tcp_keepalives_idle = 1{c}; end $$"};
  Run(client, random_.Pick(kSql));
  // Whether it keeps what was set unseen is not promised; that nobody else has it, is.
  if (random_.Chance(50)) {
    size_t other = (client.number + 1) % kTwinClients;
    Run(clients_[other], ForClient("select current_setting('app.hidden{c}', true)", client.number));
  }
}

void TwinGenerator::Table(Client& client) {
  constexpr std::string_view kSql[] = {
      "insert into t{c} select max(id) + 1, 'added' from t{c}",
      "update t{c} set v = v || '+' where id % 3 = 0 returning id, v",
      "delete from t{c} where id > 20",
      "select count(*), md5(string_agg(id || v, ',' order by id)) from public.t{c}",
      "create table if not exists made{c}(x int)",
      "drop table if exists made{c}",
      "alter table made{c} add column if not exists y text",
      "select * from made{c}",
      "truncate made{c}",
      "lock table t{c} in share mode"};
  Run(client, random_.Pick(kSql));
}

void TwinGenerator::CopySimple(Client& client) {
  client.statements.erase("");
  std::string rows = fmt::format("{0}\tcopied\n{1}\ttoo\n", 100 + random_.Below(400), 1000);
  switch (random_.Below(5)) {
    case 0:
      return RunSimple(client, "copy (select id, v from public.t{c} order by id) to stdout");
    case 1:
      return RunSimple(client, "copy nowhere from stdin");
    case 2:
      rows = "not a number\tx\n";
      break;
    default:
      break;
  }
  std::string end = random_.Chance(25) ? fe::CopyFail("gives up") : fe::CopyDone();
  constexpr std::string_view kSql[] = {"copy public.t{c} from stdin",
                                       "set work_mem = '11MB'; copy public.t{c} from stdin; "
                                       "select {c}"};
  Add(client, {fe::Query(Sql(random_.Pick(kSql), client)), fe::CopyData(rows), end}).whole = true;
}

}  // namespace pgweir::test
