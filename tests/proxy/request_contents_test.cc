// The statements of a request, and where they lead.

#include "proxy/request_contents.h"

#include <gtest/gtest.h>

#include "proxy/schema_change.h"
#include "proxy/shard_route.h"
#include "proxy/split_request.h"
#include "tests/router/routed.h"
#include "wire/message_writer.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using Use = RequestStatement::Use;
using Where = ShardRoute::Where;

constexpr std::string_view kNoTypes("\0\0", 2);

std::string Query(std::string_view sql) {
  std::string out;
  wire::AppendQuery(out, sql);
  return out;
}
std::string Parse(std::string_view sql, std::string_view name = "") {
  std::string out;
  wire::AppendParse(out, name, sql, kNoTypes);
  return out;
}
std::string Bind(const std::vector<std::string>& values, std::string_view name = "") {
  std::string out;
  {
    wire::MessageWriter message(out, wire::frontend::kBind);
    message.Text("");
    message.Text(name);
    message.Int16(0);
    message.Int16(static_cast<uint16_t>(values.size()));
    for (const std::string& value : values) {
      message.Int32(static_cast<uint32_t>(value.size()));
      message.Raw(value);
    }
    message.Int16(0);
  }
  return out;
}
std::string Execute(uint32_t rows = 0) {
  std::string out;
  wire::MessageWriter message(out, wire::frontend::kExecute);
  message.Text("");
  message.Int32(rows);
  return out;
}
std::string ExecuteAndSync(uint32_t rows = 0) {
  std::string out = Execute(rows);
  wire::AppendSync(out);
  return out;
}

class Contents : public testing::Test {
 protected:
  Contents() {
    settings_.Report("client_encoding", "UTF8");
    settings_.Report("standard_conforming_strings", "on");
  }
  RequestContents Read(const std::string& request) {
    request_ = request;
    return ReadRequest(wire::AsBytes(request_), Reading());
  }
  ReadingContext Reading() { return {state_, settings_, statements_}; }
  ShardRoute Route(const std::string& request) {
    const RequestContents contents = Read(request);
    ShardRoute route;
    RouteToShards(contents, Reading(), wishes_, planner_, route);
    return route;
  }
  std::string WhereTo(const std::string& request) {
    const ShardRoute route = Route(request);
    if (route.where == Where::kNode) return planner_.map()->NameOf(route.node);
    return route.where == Where::kAnywhere     ? "anywhere"
           : route.where == Where::kConcat     ? "several"
           : route.where == Where::kEverywhere ? "everywhere"
                                               : MessageOf(route.refusal);
  }

  router::test::Routed routed_;
  SessionState state_;
  wire::Parameters settings_;
  router::StatementCache statements_;
  router::Planner& planner_ = routed_.planner();
  ShardWishes wishes_;
  std::string request_;
};

TEST_F(Contents, AreTheStatementsInOrder) {
  const RequestContents contents =
      Read(Parse("select 1", "a") + Parse("select $1") + Bind({"x"}) + ExecuteAndSync());
  ASSERT_EQ(contents.statements.size(), 3u);
  EXPECT_EQ(contents.statements[0].use, Use::kParse);
  EXPECT_EQ(contents.statements[2].use, Use::kBind);
  EXPECT_EQ(contents.statements[2].text, "select $1");
  EXPECT_TRUE(contents.complete);
  EXPECT_EQ(contents.executions, 1);
  EXPECT_FALSE(Read(Parse("select 1")).complete);
  EXPECT_TRUE(Read(Parse("select 1") + Bind({}) + ExecuteAndSync(10)).in_pieces);
}

TEST_F(Contents, OfABatchGoToOneNode) {
  const std::string insert = Parse("insert into trades (id, symbol) values (1, $1)", "i");
  EXPECT_EQ(WhereTo(insert + Bind({"BTC1"}, "i") + ExecuteAndSync()), "btc");
  EXPECT_EQ(
      WhereTo(insert + Bind({"BTC1"}, "i") + Execute() + Bind({"BTC2"}, "i") + ExecuteAndSync()),
      "btc");
  EXPECT_EQ(
      WhereTo(insert + Bind({"BTC1"}, "i") + Execute() + Bind({"ETH1"}, "i") + ExecuteAndSync()),
      "statements of one request or transaction lie on different nodes");
  // What is only got ready may be so anywhere.
  EXPECT_EQ(WhereTo(insert), "anywhere");
  EXPECT_EQ(WhereTo(Parse("select * from orders")), "rest");
}

TEST_F(Contents, OfSeveralNodesAreAlone) {
  EXPECT_EQ(WhereTo(Query("select * from trades")), "several");
  EXPECT_NE(WhereTo(Query("select * from trades; select 1")), "several");
  EXPECT_EQ(WhereTo(Parse("select * from trades") + Bind({}) + ExecuteAndSync()), "several");
  EXPECT_NE(WhereTo(Parse("select * from trades") + Bind({}) + ExecuteAndSync(5)), "several");
  EXPECT_EQ(WhereTo(Query("alter table trades add x int")), "everywhere");
  EXPECT_NE(WhereTo(Query("alter table trades add x int; select 1")), "everywhere");
}

TEST_F(Contents, SayWhatMayBeDoneAgainElsewhere) {
  EXPECT_EQ(Route(Query("begin")).again, "begin");
  EXPECT_TRUE(Route(Query("set local work_mem = '1MB'")).movable);
  EXPECT_TRUE(Route(Query("select 1")).movable);
  EXPECT_EQ(Route(Query("select 1")).again, "");
  EXPECT_TRUE(Route(Query("select * from instruments")).movable);
  EXPECT_TRUE(Route(Query("select * from instruments")).reads);
  EXPECT_FALSE(Route(Query("select * from instruments for share")).movable);
  EXPECT_FALSE(Route(Query("select * from orders")).movable);
  EXPECT_FALSE(Route(Query("select nextval('s')")).movable);
}

TEST_F(Contents, AreSplitByNode) {
  const auto split = [&](const std::string& request, const char* node) {
    return SplitRequest(wire::AsBytes(request), Reading(), planner_, *planner_.map()->Find(node))
        .request;
  };
  const std::string query = Query("select * from trades where symbol in ('BTC1', 'ETH1')");
  EXPECT_EQ(split(query, "btc"), Query("select * from trades where symbol in ('BTC1', 'BTC1')"));
  const std::string parse = Parse("select * from trades where symbol = any ($1)");
  EXPECT_EQ(split(parse + Bind({"{BTC1,ETH1,BTC2}"}) + ExecuteAndSync(), "btc"),
            parse + Bind({R"({"BTC1","BTC2"})"}) + ExecuteAndSync());
  EXPECT_EQ(split(Query("select * from trades"), "btc"), "");
}

TEST_F(Contents, OfAPreparedTextAreSplitByNode) {
  const char* const sql = "select * from trades where symbol in ('BTC1', 'ETH1')";
  const std::string batch = Parse(sql) + Bind({}) + ExecuteAndSync();
  const RequestPart part =
      SplitRequest(wire::AsBytes(batch), Reading(), planner_, *planner_.map()->Find("btc"));
  EXPECT_EQ(part.request, "") << "the client's statement is as it says";
  EXPECT_EQ(part.text.whole, sql);
  EXPECT_EQ(part.text.here, "select * from trades where symbol in ('BTC1', 'BTC1')");
}

TEST_F(Contents, OfASchemaChangeAreAnsweredAsByAServer) {
  const std::string batch = Parse("alter table trades add x int") + Bind({}) + ExecuteAndSync();
  const auto change = SchemaChangeOf(Read(batch), Reading());
  ASSERT_TRUE(change.ok());
  EXPECT_FALSE(change->one_by_one);
  std::string types;
  const std::string answer = AnswerTo(wire::AsBytes(batch), "ALTER TABLE");
  for (size_t at = 0; at < answer.size();) {
    types += answer[at];
    at += 1 + static_cast<size_t>(static_cast<unsigned char>(answer[at + 4]));
  }
  EXPECT_EQ(types, "12CZ");
  const auto index =
      SchemaChangeOf(Read(Query("create index concurrently on trades (id)")), Reading());
  ASSERT_TRUE(index.ok());
  EXPECT_TRUE(index->one_by_one);
}

}  // namespace
}  // namespace pgweir::proxy
