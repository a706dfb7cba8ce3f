// Answers of several backends, made one.

#include "proxy/joint_answer.h"

#include <gtest/gtest.h>

#include "wire/messages.h"

namespace pgweir::proxy {
namespace {

using Fate = JointAnswer::Fate;

class Joint : public testing::Test {
 protected:
  // What reaches the client of messages of these types; 'C' is "SELECT 2".
  std::string Part(std::string_view types, bool last) {
    joint_.BeginPart(last);
    std::string out;
    for (const char type : types) {
      wire::Frame frame;
      frame.type = type;
      static constexpr std::string_view kTag("SELECT 2\0", 9);
      if (type == wire::backend::kCommandComplete) frame.head = wire::AsBytes(kTag);
      frame.body_length = static_cast<uint32_t>(frame.head.size());
      instead_.clear();
      const Fate fate = joint_.OnMessage(frame, instead_);
      if (fate != Fate::kDrop) out += type;
      if (fate == Fate::kReplace) tag_ = instead_.substr(wire::kHeaderSize);
    }
    return out;
  }

  JointAnswer joint_;
  std::string instead_, tag_;
};

TEST_F(Joint, BeginsOnceAndEndsOnce) {
  EXPECT_EQ(Part("TDDCZ", false), "TDD");
  EXPECT_EQ(Part("TDDCZ", false), "DD");
  EXPECT_EQ(Part("TDDCZ", true), "DDCZ");
  EXPECT_EQ(tag_, std::string("SELECT 6\0", 9));
  EXPECT_FALSE(joint_.failed());
}

TEST_F(Joint, AnswersABatchAsOneServerWould) {
  EXPECT_EQ(Part("312TDDC3Z", false), "312TDD");
  EXPECT_EQ(Part("312TDDC3Z", true), "DDC3Z");
  EXPECT_EQ(tag_, std::string("SELECT 4\0", 9));
}

TEST_F(Joint, EndsAtAnError) {
  EXPECT_EQ(Part("12TDDCZ", false), "12TDD");
  EXPECT_EQ(Part("12DEZ", false), "DEZ");
  EXPECT_TRUE(joint_.failed());
}

TEST_F(Joint, PassesWhatComesAtAnyTime) {
  EXPECT_EQ(Part("NTSDCZ", false), "NTSD");
  EXPECT_EQ(Part("NTSDCZ", true), "NSDCZ");
}

}  // namespace
}  // namespace pgweir::proxy
