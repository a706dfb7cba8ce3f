// The placement's queries against a real server, two of whose databases play nodes.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/router/placement_rows.h"
#include "tests/router/server_rows.h"
#include "tests/support/postgres_server.h"
#include "tests/support/pq.h"

namespace pgweir::router {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr const char* kSound = R"(
CREATE SCHEMA app;
CREATE TABLE instruments (symbol text COLLATE "C" PRIMARY KEY, "the name" text);
CREATE TABLE trades (
  id bigint, symbol text COLLATE "C" NOT NULL REFERENCES instruments, price numeric(10, 2),
  at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (symbol, at, id)) PARTITION BY RANGE (at);
CREATE TABLE trades_1 PARTITION OF trades FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE orders (
  symbol varchar(20) COLLATE "C" NOT NULL, trade bigint, at timestamptz, id int,
  UNIQUE (id, symbol), FOREIGN KEY (symbol, at, trade) REFERENCES trades);
CREATE TABLE app.book (sym char(8) COLLATE "C" PRIMARY KEY);
CREATE TABLE notes (id serial PRIMARY KEY, symbol text REFERENCES instruments);
)";

class PlacementTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<pgweir::test::PostgresServer>(); }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    Create("a", "ENCODING 'UTF8'");
    Create("b", "ENCODING 'UTF8'");
  }
  static void Create(const std::string& node, const std::string& options) {
    server_->Query("DROP DATABASE IF EXISTS " + node);
    server_->Query("CREATE DATABASE " + node + " TEMPLATE template0 LOCALE 'C' " + options);
    server_->Query(kSound, node);
  }
  static void OnBoth(const char* sql) {
    for (const char* node : {"a", "b"}) server_->Query(sql, node);
  }
  static void OnB(const char* sql) { server_->Query(sql, "b"); }

  static PlacementRows Ask(const std::string& node) {
    return test::RowsOfServer<PlacementRows>(
        server_->SocketConninfo("postgres", node),
        [](size_t i) { return PlacementQueryText(static_cast<PlacementQuery>(i)); });
  }
  static std::vector<std::string> Report() {
    const auto map = test::PlacementMap();
    const std::vector<NodePlacement> nodes = {{"a", Ask("a")}, {"b", Ask("b")}};
    return test::Lines(ReportPlacement(*map, nodes).value());
  }

  static std::unique_ptr<pgweir::test::PostgresServer> server_;
};
std::unique_ptr<pgweir::test::PostgresServer> PlacementTest::server_;

TEST_F(PlacementTest, NothingIsSaidOfSoundTables) { EXPECT_THAT(Report(), IsEmpty()); }

TEST_F(PlacementTest, UniqueWithoutTheSymbol) {
  OnBoth(R"(
CREATE UNIQUE INDEX "Only ids" ON orders (id) WHERE id > 0;
CREATE UNIQUE INDEX lowered ON orders (lower(symbol));
CREATE UNIQUE INDEX covering ON orders (id) INCLUDE (symbol);
ALTER TABLE trades_1 ADD CONSTRAINT of_part UNIQUE (id);
ALTER TABLE app.book ADD x int UNIQUE, ADD EXCLUDE USING btree (x WITH =), ADD "odd ""x""" int UNIQUE;
)");
  const auto report = Report();
  EXPECT_EQ(report.size(), 7U) << testing::PrintToString(report);
  for (const char* part :
       {"\"orders\": the partial unique index \"Only ids\" (\"id\") doesn't",
        "\"orders\": the unique index \"lowered\" (an expression) doesn't",
        "\"orders\": the unique index \"covering\" (\"id\") doesn't",
        "\"trades_1\": the unique constraint \"of_part\" (\"id\") doesn't",
        "\"book\": the unique constraint \"book_x_key\" (\"x\") doesn't",
        "\"book\": the exclusion constraint \"book_x_excl\" (\"x\") doesn't",
        "\"book\": the unique constraint \"book_odd \"\"x\"\"_key\" (\"odd \"\"x\"\"\") doesn't"}) {
    EXPECT_THAT(report, Contains(AllOf(StartsWith("warning: "), HasSubstr(part))));
  }
}

TEST_F(PlacementTest, ForeignKeysAcrossPlaces) {
  OnBoth(R"(
ALTER TABLE orders ADD note int CONSTRAINT to_note REFERENCES notes;
ALTER TABLE orders ADD CONSTRAINT own UNIQUE (id);
ALTER TABLE notes ADD CONSTRAINT to_order FOREIGN KEY (id) REFERENCES orders (id);
ALTER TABLE instruments ADD note int CONSTRAINT from_instrument REFERENCES notes;
ALTER TABLE instruments ADD an_order int CONSTRAINT to_sharded REFERENCES orders (id);
ALTER TABLE trades ADD an_order int CONSTRAINT without REFERENCES orders (id);
)");
  const auto report = Report();
  EXPECT_EQ(report.size(), 6U) << testing::PrintToString(report);  // and one of `own`
  for (const char* part : {"\"orders\": the foreign key \"to_note\" (\"note\") refers to "
                           "\"public\".\"notes\", which isn't listed",
                           "\"notes\" on node b: the foreign key \"to_order\" (\"id\") refers to "
                           "\"public\".\"orders\", which is sharded",
                           "\"instruments\": the foreign key \"from_instrument\"",
                           "\"instruments\": the foreign key \"to_sharded\"",
                           "\"trades\": the foreign key \"without\" (\"an_order\") refers to "
                           "\"public\".\"orders\" by other columns"}) {
    EXPECT_THAT(report, Contains(AllOf(StartsWith("error: "), HasSubstr(part))));
  }
}

TEST_F(PlacementTest, DefaultsThatDrawFromSequences) {
  OnBoth(R"(
CREATE SEQUENCE app."My seq";
ALTER TABLE orders ADD a serial, ADD b int GENERATED ALWAYS AS IDENTITY,
  ADD c bigint DEFAULT 10 + nextval('app."My seq"'), ADD d bigint DEFAULT nextval('app.My'::text),
  ADD e int DEFAULT 7, ADD f text DEFAULT 'nextval(';
)");
  const auto report = Report();
  EXPECT_EQ(report.size(), 5U) << testing::PrintToString(report);  // f: its text looks like a call
  for (const char* part :
       {"the default of the column \"a\" draws from a sequence public.orders_a_seq of each node",
        "the identity of the column \"b\" draws from a sequence public.orders_b_seq of each node",
        "the default of the column \"c\" draws from a sequence app.\"My seq\" of each node",
        "the default of the column \"d\" draws from a sequence of each node"}) {
    EXPECT_THAT(report, Contains(AllOf(StartsWith("warning: "), HasSubstr(part))));
  }
}

TEST_F(PlacementTest, SymbolsOfOtherTypesAndCollations) {
  OnBoth(R"(
CREATE DOMAIN app.ticker AS text;
CREATE COLLATION app.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
DROP TABLE orders, app.book;
CREATE TABLE orders (symbol app.ticker COLLATE "C");
CREATE TABLE app.book (sym text COLLATE app.nocase NOT NULL);
CREATE TABLE app.orders (symbol text COLLATE "und-x-icu");
CREATE SCHEMA more;
CREATE TABLE more.orders (x int);
CREATE VIEW more.instruments AS SELECT 1 AS x;
)");
  const auto report = Report();
  EXPECT_EQ(report.size(), 6U) << testing::PrintToString(report);
  for (const char* line :
       {"error: table \"public\".\"orders\": the symbol's column \"symbol\" is of type app.ticker.",
        "error: table \"app\".\"book\": the symbol's column \"sym\" has the collation \"nocase\", "
        "in",
        "note: table \"app\".\"orders\": the symbol's column \"symbol\" has the collation "
        "\"und-x-icu\": ranges",
        "warning: table \"app\".\"orders\": the symbol's column \"symbol\" may be null.",
        "error: table \"more\".\"orders\": it has no column \"symbol\"",
        "error: table \"more\".\"instruments\": it is listed, but it is a view."}) {
    EXPECT_THAT(report, Contains(StartsWith(line)));
  }
}

TEST_F(PlacementTest, NodesThatDisagree) {
  OnB(R"(
DROP TABLE app.book;
ALTER TABLE orders ALTER symbol TYPE varchar(30) COLLATE "C", ALTER at SET NOT NULL;
ALTER TABLE instruments DROP "the name", ADD other text;
ALTER TABLE trades DROP CONSTRAINT trades_symbol_fkey;
ALTER TABLE trades ADD CONSTRAINT named FOREIGN KEY (symbol) REFERENCES instruments;
ALTER TABLE orders DROP CONSTRAINT orders_id_symbol_key;
CREATE UNIQUE INDEX orders_id_symbol_key ON orders (id, symbol);
ALTER TABLE trades ADD CHECK (symbol NOT LIKE 'BTC%');
DROP TABLE notes;
)");
  const auto report = Report();
  EXPECT_EQ(report.size(), 8U) << testing::PrintToString(report);
  for (const char* line :
       {"error: table \"app\".\"book\" on node b: it isn't there. Create it as on node a.",
        "error: table \"public\".\"orders\" on node b: the column \"symbol\" is of type character "
        "varying(30), on node a of character varying(20). ",
        "warning: table \"public\".\"orders\" on node b: the column \"at\" is NOT NULL, other than",
        "error: table \"public\".\"instruments\" on node b: it has no column \"the name\", which",
        "error: table \"public\".\"instruments\" on node b: it has a column \"other\", which",
        "warning: table \"public\".\"trades\" on node b: foreign key \"trades_symbol_fkey\" is "
        "missing",
        "warning: table \"public\".\"trades\" on node b: foreign key \"named\" is there, but",
        "warning: table \"public\".\"orders\" on node b: unique or exclusion constraint or index "
        "\"orders_id_symbol_key\" is another than on node a. "}) {
    EXPECT_THAT(report, Contains(StartsWith(line)));
  }
}

TEST_F(PlacementTest, DatabasesThatDisagree) {
  Create("b", "ENCODING 'LATIN1'");
  EXPECT_THAT(Report(),
              Contains(StartsWith("error: database on node b: its encoding is LATIN1, that "
                                  "of node a is UTF8. ")));
  EXPECT_THAT(Report(), Not(Contains(HasSubstr("locale"))));
  Create("b", "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'");
  EXPECT_THAT(Report(),
              Contains(StartsWith("warning: database on node b: its locale is C, C.UTF-8, "
                                  "that of node a is C, C: ")));
}

}  // namespace
}  // namespace pgweir::router
