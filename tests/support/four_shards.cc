#include "tests/support/four_shards.h"

#include <fmt/format.h>

#include <fstream>

namespace pgweir::test {
namespace {

constexpr std::string_view kTables = R"(
create table trades (id bigint not null, symbol text collate "C" not null, price numeric,
                     at timestamptz not null default now(), primary key (symbol, id));
create table candles (symbol varchar(20) not null, opened timestamptz not null, high numeric,
                      primary key (symbol, opened));
create table padded (symbol char(8) not null, x int);
create table instruments (symbol text primary key, name text);
insert into instruments values ('BTCUSDT', 'Bitcoin'), ('ETHUSDT', 'Ether'), ('XRPUSDT', 'Ripple'),
                               ('SOLUSDT', 'Solana');
)";

constexpr std::string_view kRest = R"(
create table orders (id serial primary key, symbol text, amount numeric);
create sequence numbers;
)";

}  // namespace

std::unique_ptr<PostgresServer> FourShards::server_;
std::unique_ptr<PgweirProcess> FourShards::pgweir_;

const std::vector<std::string>& FourShards::Nodes() {
  static const std::vector<std::string> nodes = {"btc", "eth", "xrp", "rest"};
  return nodes;
}

std::string FourShards::Owns(std::string_view node) {
  if (node == "btc") return "symbol like 'BTC%'";
  if (node == "eth") return "symbol like 'ETH%' and symbol <> 'ETHW'";
  if (node == "xrp") return "symbol like 'XRP%' or symbol = 'ETHW'";
  return "symbol !~ '^(BTC|ETH|XRP)'";
}

std::string FourShards::Map() {
  return R"([shards]
"BTC*" = "btc"
"ETH*" = "eth"
"XRP*" = "xrp"
"ETHW" = "xrp"
"*"    = "rest"
[tables]
trades  = "symbol"
candles = "symbol"
padded  = "symbol"
[replicated]
tables = ["instruments"]
)";
}

PgweirOptions FourShards::Options(std::string_view more) {
  PgweirOptions options;
  options.pool = "size = 5";
  options.databases = fmt::format("[databases.market]\nshard_map = \"shards.toml\"\n{}\n", more);
  for (const std::string& node : Nodes()) {
    options.databases += fmt::format(
        "[databases.market.nodes.{0}]\nprimary = \"host=127.0.0.1 port={1} dbname={0}\"\n", node,
        server().port());
  }
  return options;
}

std::unique_ptr<PgweirProcess> FourShards::StartPgweir(std::string_view more) {
  PgweirOptions options = Options(more);
  options.files = {{"shards.toml", Map()}};
  return std::make_unique<PgweirProcess>(options);
}

void FourShards::SetUpTestSuite() {
  server_ = std::make_unique<PostgresServer>(
      PostgresOptions{.settings = {"log_statement = all", "log_line_prefix = '%d: '"}});
  for (const std::string& node : Nodes()) {
    server_->Query("create database " + node);
    server_->Query(kTables, node);
    for (const char* table : {"trades", "candles", "padded"}) {
      server_->Query(fmt::format("alter table {} add constraint own check ({})", table, Owns(node)),
                     node);
    }
  }
  server_->Query(kRest, "rest");
  server_->Query("create database whole");
  server_->Query(kTables, "whole");
  server_->Query(kRest, "whole");
  pgweir_ = StartPgweir();
}

void FourShards::TearDownTestSuite() {
  pgweir_.reset();
  server_.reset();
}

void FourShards::SetUp() {
  for (const std::string& node : Nodes()) server_->Query("truncate trades, candles, padded", node);
  if (pgweir_ == nullptr || !pgweir_->Running()) pgweir_ = StartPgweir();
  log_from_ = pgweir_->log().size();
}

void FourShards::TearDown() {
  if (HasFailure()) pgweir_->ShowLog(log_from_);
}

}  // namespace pgweir::test
