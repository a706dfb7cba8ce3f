#include "wire/frame_scanner.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "wire/message_writer.h"

namespace pgweir::wire {
namespace {

using std::string_literals::operator""s;
using Step = FrameScanner::Step;

struct Seen {
  char type;
  uint32_t body_length;
  std::string head;
  bool operator==(const Seen&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << seen.type << ' ' << seen.body_length << ' ' << seen.head;
}

std::string Message(char type, std::string_view body) {
  std::string out;
  MessageWriter(out, type).Raw(body);
  return out;
}

std::string Header(char type, uint32_t length) {
  std::string out(1, type);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift);
  return out;
}

// Plays the reader: offers what was not passed on yet, with the next piece behind it, in memory of
// its exact size, so that AddressSanitizer sees a look beyond it.
class Stream {
 public:
  explicit Stream(FrameScanner::HeadPolicy policy) : scanner_(policy) {}

  // The step that ended the scan of this piece.
  Step Feed(std::string_view piece) {
    std::vector<char> in(held_.begin(), held_.end());
    in.insert(in.end(), piece.begin(), piece.end());
    in.shrink_to_fit();
    const Bytes bytes = std::as_bytes(std::span(in));
    size_t position = 0;
    Frame frame;
    Step step;
    while ((step = scanner_.Next(bytes, position, frame)) == Step::kFrame) {
      EXPECT_LT(frame.offset, position);
      EXPECT_EQ(in[frame.offset], frame.type);
      seen_.push_back({frame.type, frame.body_length, std::string(AsText(frame.head))});
    }
    EXPECT_LE(position, in.size());
    passed_.append(in.begin(), in.begin() + static_cast<ptrdiff_t>(position));
    held_.assign(in.begin() + static_cast<ptrdiff_t>(position), in.end());
    last_ = frame;
    last_.head = {};
    return step;
  }

  const std::vector<Seen>& seen() const { return seen_; }
  const std::string& passed() const { return passed_; }
  const std::string& held() const { return held_; }
  const Frame& last() const { return last_; }
  const FrameScanner& scanner() const { return scanner_; }

 private:
  FrameScanner scanner_;
  std::vector<Seen> seen_;
  std::string passed_;
  std::string held_;
  Frame last_;
};

std::string ServerAnswer() {
  return Message('T', "columns") + Message('D', "row") + Message('C', "SELECT 1\0"s) +
         Message('Z', "I");
}

const std::vector<Seen> kServerAnswer = {
    {'T', 7, ""}, {'D', 3, ""}, {'C', 9, "SELECT 1\0"s}, {'Z', 1, "I"}};

TEST(FrameScanner, FindsTheMessagesOfOnePiece) {
  Stream stream(ServerHead);
  EXPECT_EQ(stream.Feed(ServerAnswer()), Step::kMore);
  EXPECT_EQ(stream.seen(), kServerAnswer);
  EXPECT_EQ(stream.passed(), ServerAnswer());
  EXPECT_TRUE(stream.scanner().at_boundary());
}

TEST(FrameScanner, FindsTheSameMessagesWhereverTheStreamIsCutRule21) {
  const std::string answer = ServerAnswer();
  for (size_t cut = 0; cut <= answer.size(); ++cut) {
    Stream stream(ServerHead);
    EXPECT_EQ(stream.Feed(answer.substr(0, cut)), Step::kMore);
    EXPECT_EQ(stream.Feed(answer.substr(cut)), Step::kMore);
    EXPECT_EQ(stream.seen(), kServerAnswer) << cut;
    EXPECT_EQ(stream.passed(), answer) << cut;
  }
}

TEST(FrameScanner, TakesOneByteAtATimeRule21) {
  Stream stream(ServerHead);
  for (const char byte : ServerAnswer()) stream.Feed({&byte, 1});
  EXPECT_EQ(stream.seen(), kServerAnswer);
  EXPECT_EQ(stream.passed(), ServerAnswer());
}

TEST(FrameScanner, KeepsPartialHeadersAndHeadsBackRule21) {
  Stream stream(ServerHead);
  const std::string message = Message('Z', "T");
  for (size_t n = 0; n + 1 < message.size(); ++n) {
    EXPECT_EQ(stream.Feed(message.substr(n, 1)), Step::kMore);
    EXPECT_EQ(stream.held().size(), n + 1);
    EXPECT_TRUE(stream.passed().empty());
  }
  stream.Feed("T");
  EXPECT_EQ(stream.seen(), (std::vector<Seen>{{'Z', 1, "T"}}));
  EXPECT_TRUE(stream.held().empty());
}

TEST(FrameScanner, AcceptsTheSmallestLengthRule22) {
  Stream stream(ClientHead);
  stream.Feed(Header('S', 4) + Header('H', 4));
  EXPECT_EQ(stream.seen(), (std::vector<Seen>{{'S', 0, ""}, {'H', 0, ""}}));
}

TEST(FrameScanner, RefusesImpossibleLengthsRule22) {
  for (const uint32_t length :
       {0u, 1u, 3u, kMaxMessageLength + 1, 0x7fffffffu, 0x80000000u, 0xfffffffcu, 0xffffffffu}) {
    for (const char type : {'d', 'Q', 'S'}) {
      Stream stream(ClientHead);
      EXPECT_EQ(stream.Feed(Header(type, length)), Step::kBadLength) << length;
      EXPECT_TRUE(stream.seen().empty());
      EXPECT_TRUE(stream.passed().empty());
    }
  }
}

TEST(FrameScanner, RefusesATypeBeforeItsLengthIsThere) {
  Stream stream(ClientHead);
  EXPECT_EQ(stream.Feed(Message('S', "") + "?"), Step::kBadType);
  EXPECT_EQ(stream.last().type, '?');
  EXPECT_EQ(stream.passed(), Message('S', ""));
}

TEST(FrameScanner, StreamsTheLargestMessageWithoutHoldingItRule23) {
  FrameScanner scanner(ServerHead);
  const std::string piece(1 << 20, 'x');
  const std::string first = Header('D', kMaxMessageLength) + piece;
  size_t position = 0;
  Frame frame;
  ASSERT_EQ(scanner.Next(AsBytes(first), position, frame), Step::kFrame);
  EXPECT_EQ(frame.body_length, kMaxMessageLength - 4);
  EXPECT_FALSE(frame.whole());
  EXPECT_EQ(position, first.size());
  uint64_t left = kMaxMessageLength - 4 - piece.size();
  while (left > 0) {
    EXPECT_EQ(scanner.body_left(), left);
    const std::string_view next = std::string_view(piece).substr(0, left);
    position = 0;
    ASSERT_EQ(scanner.Next(AsBytes(next), position, frame), Step::kMore);
    ASSERT_EQ(position, next.size());
    left -= next.size();
  }
  EXPECT_TRUE(scanner.at_boundary());
  const std::string after = Message('Z', "I");
  position = 0;
  ASSERT_EQ(scanner.Next(AsBytes(after), position, frame), Step::kFrame);
  EXPECT_EQ(frame.type, 'Z');
}

TEST(FrameScanner, FindsTheMessageBehindTheRestOfABodyRule23) {
  Stream stream(ServerHead);
  const std::string row = Message('D', std::string(1000, 'r'));
  stream.Feed(row.substr(0, 300));
  EXPECT_EQ(stream.passed().size(), 300u);
  EXPECT_EQ(stream.scanner().body_left(), row.size() - 300);
  stream.Feed(row.substr(300) + Message('Z', "E"));
  EXPECT_EQ(stream.seen(), (std::vector<Seen>{{'D', 1000, ""}, {'Z', 1, "E"}}));
}

TEST(FrameScanner, HoldsNoMoreThanTheHeadOfALargeMessageRule23) {
  for (const auto& [type, head] :
       {std::pair<char, uint32_t>{'E', kMaxHead}, {'S', kMaxHead}, {'C', 64}}) {
    Stream stream(ServerHead);
    const std::string body(100000, 'e');
    const std::string message = Message(type, body);
    stream.Feed(message.substr(0, kHeaderSize + head - 1));
    EXPECT_TRUE(stream.seen().empty());
    EXPECT_EQ(stream.held().size(), kHeaderSize + head - 1);
    stream.Feed(message.substr(kHeaderSize + head - 1));
    EXPECT_EQ(stream.seen(), (std::vector<Seen>{{type, 100000, body.substr(0, head)}}));
    EXPECT_EQ(stream.passed(), message);
  }
}

TEST(FrameScanner, ReportsABodyShorterThanTheWantedHeadAsWhole) {
  Stream stream(ClientHead);
  stream.Feed(Message('Q', "BEGIN\0"s) + Message('D', "") + Message('C', "Sname\0"s));
  EXPECT_EQ(stream.seen(),
            (std::vector<Seen>{{'Q', 6, "BEGIN\0"s}, {'D', 0, ""}, {'C', 6, "Sname\0"s}}));
}

TEST(ClientHead, RefusesEverythingButRequestsRule16) {
  const std::string allowed = "BCDEFHPQSXcdf";
  for (int type = 0; type < 256; ++type) {
    const char c = static_cast<char>(type);
    EXPECT_EQ(ClientHead(c, 100) == FrameScanner::kRefused, allowed.find(c) == std::string::npos)
        << type;
  }
}

TEST(ServerHead, RefusesAuthenticationOnceLoggedIn) {
  EXPECT_EQ(ServerHead('R', 4), FrameScanner::kRefused);
  EXPECT_EQ(ServerHead('K', 8), FrameScanner::kRefused);
  EXPECT_EQ(ServerHead('p', 8), FrameScanner::kRefused);
}

TEST(HeadPolicies, NeverAskForMoreThanTheBound) {
  for (int type = 0; type < 256; ++type) {
    for (const auto policy : {ClientHead, ServerHead}) {
      const uint32_t head = policy(static_cast<char>(type), kMaxMessageLength);
      EXPECT_TRUE(head <= std::max(kMaxHead, kMaxStatement) || head == FrameScanner::kRefused)
          << type;
    }
  }
}

}  // namespace
}  // namespace pgweir::wire
