#include "wire/messages.h"

#include "gtest/gtest.h"

namespace pgweir::wire {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;

// The message that `append` makes, behind what the string held before.
template <typename Append>
std::string Built(Append append) {
  std::string out = "before";
  append(out);
  EXPECT_EQ(out.substr(0, 6), "before");
  return out.substr(6);
}

// The body of a message that must be whole: type, a length word that fits, body.
std::string Body(const std::string& message) {
  EXPECT_GE(message.size(), kHeaderSize);
  const size_t length =
      static_cast<unsigned char>(message[3]) << 8 | static_cast<unsigned char>(message[4]);
  EXPECT_EQ(length + 1, message.size());
  return message.substr(kHeaderSize);
}

template <typename Read>
void ExpectEveryTruncationRefused(const std::string& body, Read read) {
  EXPECT_TRUE(read(AsBytes(body)).ok());
  for (size_t n = 0; n < body.size(); ++n) {
    // A copy of its own, so that reading past the end is seen by AddressSanitizer.
    const std::vector<char> cut(body.begin(), body.begin() + static_cast<ptrdiff_t>(n));
    EXPECT_EQ(SqlStateOf(read(AsBytes({cut.data(), cut.size()})).status()), "08P01") << n;
  }
}

TEST(BuildMessages, Authentication) {
  EXPECT_EQ(Built(AppendAuthenticationOk), "R\0\0\0\x08\0\0\0\0"s);
  EXPECT_EQ(Built(AppendAuthenticationCleartextPassword), "R\0\0\0\x08\0\0\0\x03"s);
  EXPECT_EQ(Built([](auto& out) { AppendAuthenticationMd5Password(out, "\0abc"sv); }),
            "R\0\0\0\x0c\0\0\0\x05\0abc"s);
  EXPECT_EQ(Built([](auto& out) { AppendAuthenticationSasl(out, {"A", "BC"}); }),
            "R\0\0\0\x0e\0\0\0\x0a"s + "A\0BC\0\0"s);
  EXPECT_EQ(Built([](auto& out) { AppendAuthenticationSaslContinue(out, "r=x"); }),
            "R\0\0\0\x0b\0\0\0\x0br=x"s);
  EXPECT_EQ(Built([](auto& out) { AppendAuthenticationSaslFinal(out, "v=x"); }),
            "R\0\0\0\x0b\0\0\0\x0cv=x"s);
}

TEST(BuildMessages, Welcome) {
  EXPECT_EQ(Built([](auto& out) { AppendParameterStatus(out, "TimeZone", "UTC"); }),
            "S\0\0\0\x11TimeZone\0UTC\0"s);
  EXPECT_EQ(Built([](auto& out) { AppendBackendKeyData(out, 0x01020304, "\0\xff\0\1"sv); }),
            "K\0\0\0\x0c\x01\x02\x03\x04\0\xff\0\x01"s);
  EXPECT_EQ(Built([](auto& out) { AppendReadyForQuery(out, TransactionStatus::kFailed); }),
            "Z\0\0\0\x05"s + "E");
}

// Rule 6: the answer to 3.2 names version 3.0 as a whole and the options that were not understood.
TEST(BuildMessages, NegotiateProtocolVersion) {
  const std::string expected = "v\0\0\0\x13\0\x03\0\0\0\0\0\x01_pq_.x\0"s;
  EXPECT_EQ(Built([](auto& out) { AppendNegotiateProtocolVersion(out, 0, {"_pq_.x"}); }), expected);
  EXPECT_EQ(Built([](auto& out) { AppendNegotiateProtocolVersion(out, 2, {}); }),
            "v\0\0\0\x0c\0\x03\0\x02\0\0\0\0"s);
}

TEST(BuildMessages, ErrorsAndNotices) {
  const ErrorFields fields{.severity = "ERROR", .sqlstate = "42601", .message = "no"};
  EXPECT_EQ(Built([&](auto& out) { AppendErrorResponse(out, fields); }),
            "E\0\0\0\x1eSERROR\0VERROR\0C42601\0Mno\0\0"s);
  EXPECT_EQ(Built([&](auto& out) { AppendNoticeResponse(out, fields); })[0], 'N');
}

TEST(BuildMessages, TextIsCutAtItsOwnNul) {
  const std::string message = "no\0C00000"s;
  const ErrorFields fields{.severity = "ERROR", .sqlstate = "42601", .message = message};
  const std::string body = Body(Built([&](auto& out) { AppendErrorResponse(out, fields); }));
  const auto read = ReadErrorFields(AsBytes(body));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->sqlstate, "42601");
  EXPECT_EQ(read->message, "no");
}

TEST(BuildMessages, Others) {
  EXPECT_EQ(Built(AppendEmptyQueryResponse), "I\0\0\0\x04"s);
  EXPECT_EQ(Built([](auto& out) { AppendCommandComplete(out, "SELECT 1"); }),
            "C\0\0\0\x0dSELECT 1\0"s);
  EXPECT_EQ(Built([](auto& out) { AppendQuery(out, "BEGIN"); }), "Q\0\0\0\x0a"s + "BEGIN\0"s);
  EXPECT_EQ(Built(AppendSync), "S\0\0\0\x04"s);
  EXPECT_EQ(Built([](auto& out) { AppendCopyFail(out, "no"); }), "f\0\0\0\x07no\0"s);
  EXPECT_EQ(Built(AppendTerminate), "X\0\0\0\x04"s);
  EXPECT_EQ(Built([](auto& out) { AppendCancelRequest(out, 7, "key!"); }),
            "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x07key!"s);
}

TEST(ReadErrorFields, ReturnsWhatABuilderWrote) {
  const ErrorFields fields{.severity = "FATAL",
                           .sqlstate = "57P01",
                           .message = "terminating",
                           .detail = "why",
                           .hint = "what to do"};
  const std::string body = Body(Built([&](auto& out) { AppendErrorResponse(out, fields); }));
  const auto read = ReadErrorFields(AsBytes(body));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->severity, "FATAL");
  EXPECT_EQ(read->sqlstate, "57P01");
  EXPECT_EQ(read->message, "terminating");
  EXPECT_EQ(read->detail, "why");
  EXPECT_EQ(read->hint, "what to do");
  ExpectEveryTruncationRefused(body, ReadErrorFields);
}

TEST(ReadErrorFields, PrefersTheUntranslatedSeverity) {
  EXPECT_EQ(ReadErrorFields(AsBytes("SFEHLER\0VERROR\0\0"sv))->severity, "ERROR");
  EXPECT_EQ(ReadErrorFields(AsBytes("VERROR\0SFEHLER\0\0"sv))->severity, "ERROR");
  EXPECT_EQ(ReadErrorFields(AsBytes("SFEHLER\0\0"sv))->severity, "FEHLER");
}

// Rule 19: nothing is dereferenced that the server left out.
TEST(ReadErrorFields, MissingFieldsStayEmptyRule19) {
  const auto none = ReadErrorFields(AsBytes("\0"sv));
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->severity.empty() && none->sqlstate.empty() && none->message.empty());
  const auto unknown = ReadErrorFields(AsBytes("Mbad\0Z?\0F\0\0"sv));
  ASSERT_TRUE(unknown.ok());
  EXPECT_EQ(unknown->message, "bad");
  EXPECT_EQ(unknown->sqlstate, "");
}

TEST(ReadErrorFields, RefusesBytesBehindTheListRule19) {
  EXPECT_FALSE(ReadErrorFields(AsBytes("Mbad\0\0M"sv)).ok());
  EXPECT_FALSE(ReadErrorFields(AsBytes("\0\0"sv)).ok());
}

TEST(ReadParameterStatus, TakesTwoTextsAndNothingElse) {
  const std::string body = "application_name\0\0"s;
  const auto read = ReadParameterStatus(AsBytes(body));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->name, "application_name");
  EXPECT_EQ(read->value, "");
  ExpectEveryTruncationRefused("TimeZone\0UTC\0"s, ReadParameterStatus);
  EXPECT_FALSE(ReadParameterStatus(AsBytes("TimeZone\0UTC\0x"sv)).ok());
}

// Rule 37: the three states.
TEST(ReadReadyForQuery, KnowsThreeStatesRule37) {
  EXPECT_EQ(ReadReadyForQuery(AsBytes("I")).value(), TransactionStatus::kIdle);
  EXPECT_EQ(ReadReadyForQuery(AsBytes("T")).value(), TransactionStatus::kInTransaction);
  EXPECT_EQ(ReadReadyForQuery(AsBytes("E")).value(), TransactionStatus::kFailed);
  for (const std::string& body : {""s, "\0"s, "i"s, "X"s, "II"s}) {
    EXPECT_EQ(SqlStateOf(ReadReadyForQuery(AsBytes(body)).status()), "08P01");
  }
}

TEST(ReadCommandTag, TakesOneText) {
  EXPECT_EQ(ReadCommandTag(AsBytes("INSERT 0 1\0"sv)).value(), "INSERT 0 1");
  ExpectEveryTruncationRefused("COPY 5\0"s, ReadCommandTag);
  EXPECT_FALSE(ReadCommandTag(AsBytes("COPY\0 5\0"sv)).ok());
}

// Rule 40: an empty text is a legal query.
TEST(ReadQuery, TakesOneTextThatMayBeEmptyRule40) {
  EXPECT_EQ(ReadQuery(AsBytes("\0"sv)).value(), "");
  EXPECT_EQ(ReadQuery(AsBytes("SELECT 1\0"sv)).value(), "SELECT 1");
  ExpectEveryTruncationRefused("SELECT 1\0"s, ReadQuery);
  EXPECT_EQ(SqlStateOf(ReadQuery(AsBytes("SELECT 1\0;DROP\0"sv)).status()), "08P01");
}

// Rule 16: three messages share 'p'; each reader takes its own form only.
TEST(ReadPassword, TakesOneTextRule16) {
  EXPECT_EQ(ReadPassword(AsBytes("secret\0"sv)).value(), "secret");
  ExpectEveryTruncationRefused("secret\0"s, ReadPassword);
  EXPECT_EQ(SqlStateOf(ReadPassword(AsBytes("sec\0ret\0"sv)).status()), "08P01");
  EXPECT_EQ(SqlStateOf(ReadPassword(AsBytes("SCRAM-SHA-256\0\0\0\0\x03n,,"sv)).status()), "08P01");
}

TEST(ReadPassword, EmptyPasswordFailsRule18) {
  const Status status = ReadPassword(AsBytes("\0"sv)).status();
  EXPECT_EQ(SqlStateOf(status), "28P01");
  EXPECT_EQ(MessageOf(status), "empty password returned by client");
}

TEST(ReadSaslInitialResponse, TakesMechanismAndDataRule16) {
  const std::string body = "SCRAM-SHA-256\0\0\0\0\x05n,,\0x"s;
  const auto read = ReadSaslInitialResponse(AsBytes(body));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->mechanism, "SCRAM-SHA-256");
  EXPECT_EQ(read->data, "n,,\0x"s);
  ExpectEveryTruncationRefused(body, ReadSaslInitialResponse);
  EXPECT_FALSE(ReadSaslInitialResponse(AsBytes(body + "x")).ok());
}

TEST(ReadSaslInitialResponse, TellsNoDataFromEmptyDataRule16) {
  const std::string none = "M\0\xff\xff\xff\xff"s;
  EXPECT_FALSE(ReadSaslInitialResponse(AsBytes(none))->data.has_value());
  EXPECT_EQ(ReadSaslInitialResponse(AsBytes("M\0\0\0\0\0"sv))->data, "");
  ExpectEveryTruncationRefused(none, ReadSaslInitialResponse);
}

TEST(ReadSaslInitialResponse, RefusesOtherLengthsRule16) {
  for (const std::string& body : {"M\0\xff\xff\xff\xffx"s, "M\0\xff\xff\xff\xfe"s, "M\0\x80\0\0\0"s,
                                  "M\0\x7f\xff\xff\xffx"s, "M\0\0\0\0\x02x"s}) {
    EXPECT_EQ(SqlStateOf(ReadSaslInitialResponse(AsBytes(body)).status()), "08P01");
  }
}

}  // namespace
}  // namespace pgweir::wire
