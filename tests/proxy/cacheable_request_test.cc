#include "proxy/cacheable_request.h"

#include <gtest/gtest.h>

#include "wire/message_writer.h"
#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

std::string Message(char type, std::string_view body) {
  std::string out;
  wire::MessageWriter message(out, type);
  message.Raw(body);
  return out;
}

using namespace std::string_view_literals;

const std::string kQuery = Message('Q', "select 1\0"sv);
const std::string kParse = Message('P', "\0select 1\0\0\0"sv);
const std::string kNamedParse = Message('P', "p\0select 1\0\0\0"sv);
const std::string kBind = Message('B', "\0\0\0\0\0\0\0\0"sv);
const std::string kBindNamed = Message('B', "\0p\0\0\0\0\0\0\0"sv);
const std::string kBindPortal = Message('B', "x\0\0\0\0\0\0\0\0"sv);
const std::string kDescribe = Message('D', "P\0"sv);
const std::string kDescribeStatement = Message('D', "S\0"sv);
const std::string kExecute = Message('E', "\0\0\0\0\0"sv);
const std::string kExecuteSome = Message('E', "\0\0\0\0\5"sv);
const std::string kExecutePortal = Message('E', "x\0\0\0\0\0"sv);
const std::string kClose = Message('C', "P\0"sv);
const std::string kSync = Message('S', "");
const std::string kFlush = Message('H', "");

std::optional<CacheableRequest> Read(std::string_view bytes) {
  return ReadCacheable(wire::AsBytes(bytes));
}

TEST(CacheableRequest, IsAQuery) {
  const auto request = Read(kQuery);
  ASSERT_TRUE(request.has_value());
  EXPECT_FALSE(request->extended);
}

TEST(CacheableRequest, IsABatchOfOneStatement) {
  struct Case {
    std::string bytes;
    bool parses, describes;
    std::string_view statement;
  };
  const Case cases[] = {
      {kParse + kBind + kExecute + kSync, true, false, ""},
      {kParse + kBind + kDescribe + kExecute + kSync, true, true, ""},
      {kBind + kExecute + kSync, false, false, ""},
      {kBindNamed + kExecute + kSync, false, false, "p"},
      {kBindNamed + kDescribe + kExecute + kSync, false, true, "p"},
  };
  for (const Case& expected : cases) {
    const auto request = Read(expected.bytes);
    ASSERT_TRUE(request.has_value());
    EXPECT_TRUE(request->extended);
    EXPECT_EQ(request->parses, expected.parses);
    EXPECT_EQ(request->describes, expected.describes);
    EXPECT_EQ(request->statement, expected.statement);
  }
}

// Situations 28, 49 and 50.
TEST(CacheableRequest, IsNothingElse) {
  const std::string others[] = {
      "",
      kQuery + kQuery,
      kQuery + kSync,
      kSync,
      kFlush,
      kParse + kSync,
      kParse + kBind + kSync,
      kParse + kBind + kExecute,
      kParse + kBind + kExecute + kFlush,
      kParse + kBind + kExecute + kFlush + kSync,
      kParse + kBind + kExecute + kExecute + kSync,
      kParse + kBind + kExecute + kClose + kSync,
      kParse + kBind + kExecute + kSync + kSync,
      kParse + kBind + kExecute + kSync + kQuery,
      kParse + kBind + kExecuteSome + kSync,
      kParse + kBindPortal + kExecutePortal + kSync,
      kParse + kBind + kExecutePortal + kSync,
      kParse + kBindNamed + kExecute + kSync,
      kNamedParse + kBindNamed + kExecute + kSync,
      kParse + kParse + kBind + kExecute + kSync,
      kParse + kBind + kBind + kExecute + kSync,
      kParse + kDescribeStatement + kBind + kExecute + kSync,
      kParse + kBind + kDescribeStatement + kExecute + kSync,
      kParse + kBind + kDescribe + kDescribe + kExecute + kSync,
      kParse + kBind + kDescribe + kSync,
      kExecute + kSync,
      kDescribe + kExecute + kSync,
  };
  for (const std::string& bytes : others) EXPECT_FALSE(Read(bytes).has_value());
}

TEST(CacheableRequest, IsWhole) {
  for (const std::string& bytes : {kQuery, kParse + kBind + kDescribe + kExecute + kSync}) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(Read(std::string_view(bytes).substr(0, size)).has_value()) << size;
    }
  }
}

// Situations 47, 48 and 52.
TEST(CacheableRequest, SaysWhatGoesAroundTheRows) {
  const auto around = [](const CacheableRequest& request) {
    std::string out;
    AppendBeforeRows(out, request, "T...");
    AppendBehindRows(out, "SELECT 1", wire::TransactionStatus::kIdle);
    return out;
  };
  const std::string tail = Message('C', "SELECT 1\0"sv) + Message('Z', "I");
  EXPECT_EQ(around({}), "T..." + tail);
  EXPECT_EQ(around({true, false, false, ""}), Message('2', "") + tail);
  EXPECT_EQ(around({true, true, false, ""}), Message('1', "") + Message('2', "") + tail);
  EXPECT_EQ(around({true, true, true, ""}), Message('1', "") + Message('2', "") + "T..." + tail);
}

}  // namespace
}  // namespace pgweir::proxy
