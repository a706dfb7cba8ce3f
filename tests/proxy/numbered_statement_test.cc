// Statements whose numbers are parameters that the client knows nothing of.

#include "proxy/numbered_statement.h"

#include <gtest/gtest.h>

#include "router/statement_cache.h"
#include "wire/message_writer.h"

namespace pgweir::proxy {
namespace {

using namespace std::string_literals;

constexpr std::string_view kNoTypes("\0\0", 2);

NumberedStatementRef Make(std::string_view sql, std::string_view types = kNoTypes,
                          uint32_t rows = 1) {
  router::DrawnNumbers drawn;
  drawn.table = "t";
  drawn.columns = {{"id", "public.s", std::nullopt}};
  drawn.names_columns = true;
  drawn.rows = rows;
  drawn.width = 1;
  for (uint32_t row = 0; row < rows; ++row) drawn.values.push_back({row, 0});
  router::StatementCache statements;
  const router::FactsRef facts = statements.Find(sql);
  return MakeNumbered(std::make_shared<const router::DrawnNumbers>(drawn), sql, types, *facts,
                      statements.scan());
}

std::string Message(char type, std::string_view body) {
  std::string out;
  wire::MessageWriter(out, type).Raw(body);
  return out;
}

TEST(NumberedStatement, HasItsNumbersBehindTheClientsParameters) {
  const auto one = Make("INSERT INTO t (symbol) VALUES ($1) RETURNING id");
  EXPECT_EQ(one->own, 1);
  EXPECT_EQ(one->text,
            "INSERT INTO t (symbol, \"id\") VALUES ($1, COALESCE($2::pg_catalog.int8, "
            "pg_catalog.nextval('public.s'::pg_catalog.text::pg_catalog.regclass))) RETURNING id");
  // Those that Parse declares count, too.
  EXPECT_EQ(Make("INSERT INTO t (symbol) VALUES ($1)", "\0\3\0\0\0\0\0\0\0\0\0\0\0\0"s)->own, 3);
  EXPECT_EQ(Make("INSERT INTO t (symbol) VALUES ($1), ('x')", kNoTypes, 3), nullptr);
}

TEST(NumberedStatement, TellsPositionsOfTheClientsText) {
  const std::string_view sql = "INSERT INTO t (symbol) VALUES ('ä') RETURNING id";
  const auto one = Make(sql);
  // Characters are counted, from 1.
  const auto at = [](std::string_view text, std::string_view word) {
    return static_cast<int>(text.find(word));
  };
  EXPECT_EQ(ClientsPosition(at(one->text, "RETURNING"), one->shifts), at(sql, "RETURNING"));
  EXPECT_EQ(ClientsPosition(at(one->text, "VALUES") + 1, one->shifts), at(sql, "VALUES") + 1);
  EXPECT_EQ(ClientsPosition(at(one->text, "symbol") + 1, one->shifts), at(sql, "symbol") + 1);
  // What isn't the client's is where it was put.
  EXPECT_EQ(ClientsPosition(at(one->text, "\"id\"") + 1, one->shifts), at(sql, ") VALUES") + 1);
}

TEST(NumberedStatement, AppendsNumbersToABindInAFormatThatItHas) {
  const auto one = Make("INSERT INTO t (symbol) VALUES ($1), ($2)", kNoTypes, 2);
  const std::vector<std::string> numbers = {"7", "-1"};
  const std::string values = "\0\0\0\1x\0\0\0\1y"s;
  const auto bind = [&](const std::string& formats, const std::vector<std::string>* given) {
    std::string out;
    const Status appended = AppendNumberedBind(
        out, "portal\0p\0"s + formats + "\0\2"s + values + "\0\1\0\1"s, "pgweir_5", *one, given);
    EXPECT_TRUE(appended.ok()) << appended;
    return out;
  };
  const auto expected = [&](const std::string& formats, const std::string& more) {
    return Message('B', "portal\0pgweir_5\0"s + formats + "\0\4"s + values + more + "\0\1\0\1"s);
  };
  const std::string text =
      "\0\0\0\1"
      "7\0\0\0\2-1"s;
  EXPECT_EQ(bind("\0\0"s, &numbers), expected("\0\0"s, text));
  EXPECT_EQ(bind("\0\1\0\0"s, &numbers), expected("\0\1\0\0"s, text));
  EXPECT_EQ(bind("\0\2\0\1\0\0"s, &numbers), expected("\0\4\0\1\0\0\0\0\0\0"s, text));
  EXPECT_EQ(bind("\0\1\0\1"s, &numbers),
            expected("\0\1\0\1"s, "\0\0\0\10\0\0\0\0\0\0\0\7\0\0\0\10"s + std::string(8, '\xff')));
  EXPECT_EQ(bind("\0\0"s, nullptr), expected("\0\0"s, std::string(8, '\xff')));
}

TEST(NumberedStatement, RefusesABindThatDoesNotFitIt) {
  const auto one = Make("INSERT INTO t (symbol) VALUES ($1)");
  const auto refusal = [&](const std::string& rest) {
    std::string out;
    const Status status = AppendNumberedBind(out, "\0p\0"s + rest, "pgweir_5", *one, nullptr);
    EXPECT_EQ(out, "");
    EXPECT_EQ(SqlStateOf(status), "08P01");
    return MessageOf(status);
  };
  EXPECT_EQ(refusal("\0\0\0\0\0\0"s),
            "bind message supplies 0 parameters, but prepared statement \"p\" requires 1");
  EXPECT_EQ(refusal("\0\2\0\0\0\0\0\1\0\0\0\1x\0\0"s),
            "bind message has 2 parameter formats but 1 parameters");
  EXPECT_EQ(refusal("\0\0\0\1\0\0\0\7x"s), "insufficient data left in message");
  EXPECT_EQ(refusal("\0"s), "insufficient data left in message");
}

TEST(NumberedStatement, IsDescribedWithoutItsNumbers) {
  std::string out;
  AppendOwnDescription(out, "\0\3\0\0\0\x19\0\0\0\x17\0\0\0\x14"s, 2);
  EXPECT_EQ(out, Message('t', "\0\2\0\0\0\x19\0\0\0\x17"s));
  out.clear();
  AppendOwnDescription(out, "\0"s, 2);
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace pgweir::proxy
