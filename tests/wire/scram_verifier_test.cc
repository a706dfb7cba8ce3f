#include "gtest/gtest.h"
#include "wire/saslprep.h"
#include "wire/scram.h"

namespace pgweir::wire {
namespace {

using std::string_literals::operator""s;

// Secrets that PostgreSQL 15 made (UTF-8 database).
struct Stored {
  std::string_view password;
  std::string_view secret;
};
constexpr Stored kPlain = {
    "secret",
    "SCRAM-SHA-256$4096:p2pW4g8jnnZHn+tTnxxS5w==$Z3eEG35wwJni0hgyMecrZOh6Y3YWIZj4Xy7x8fjTICM=:"
    "xwxDzaqj32OklGbR8+23ismb+aOxbonQT7mnk7+S0Vg="};
constexpr Stored kStored[] = {
    kPlain,
    // precomposed and decomposed: the same password after normalisation
    {"p\u00e4ssw\u00f6rd",
     "SCRAM-SHA-256$4096:JX1kHdzKFyYvXToXvAfIKQ==$RFPQf5nlCUGbMcNaWcFBPU2vpSRnlIOi0iiAQfdhHEU=:"
     "9oZu3E9btGhkk2h/Iaq8MGbex2baAaLx3apBc+kYajc="},
    {"pa\u0308ssw\u00f6rd",
     "SCRAM-SHA-256$4096:3nHh2lZtkYIsUh/ugQbnBA==$C3feT5+zHMLzaZj/jRffCdejdrYWwdvjOZKV9AWOm+k=:"
     "hdUcIV+tSh5OyzQWHF5ixjvLzryi3SwMeEGRytfFAHs="},
    // Roman numeral nine, no-break space, soft hyphen
    {"\u2168\u00a0x\u00ad",
     "SCRAM-SHA-256$4096:R7VzBkeXt1dEpXKv1BjsVQ==$fuPFAfQgdhmQ1pAq0s3/JM9gDEP9Q43Y4EMZu79XmIU=:"
     "bsv3fDFnCleSCsK0sXIKGb+6OrbvMzPb/3gzuzsjmgM="},
    // against the rule for right-to-left text: used as it is
    {"\u0627"
     "1",
     "SCRAM-SHA-256$4096:he2vaCwSqDLayUN5UUHJBg==$7N0wh+lEBj91WBC++DRYUlr6U+qlg45XIRAvCj2xsYc=:"
     "0hg2S8/VdMLGTwGAj/QBAMrjCm/fHYKfIKV+Def0xdo="},
    // a control character: used as it is
    {"x\a\u00e4",
     "SCRAM-SHA-256$4096:fhhc4oGGiOgF0lyj3bGS+Q==$sAFt54nkEgBJiQKTIokOv7gcDI8oY0HuqbPi83erAag=:"
     "8yWrAngT0oDyvx1oZoKidU4EgAerM4BhGvkoKWEx+oA="},
    // nothing left: used as it is
    {"\u00ad",
     "SCRAM-SHA-256$4096:IzLAVv3Rfl/GevLs6hWHpg==$Ue0npuIhHVaaEo+wbkD+xAeAe5SIRcFLKenInJnm4qQ=:"
     "+7evs2HosN2G+cPjka/9xnuarfoUCvDzH+1+oqr8NY8="},
};

TEST(ScramVerifier, AgreesWithSecretsOfPostgresql) {
  for (const auto& [password, secret] : kStored) {
    const auto verifier = ParseScramVerifier(secret);
    ASSERT_TRUE(verifier.ok()) << secret;
    EXPECT_EQ(FormatScramVerifier(*verifier), secret);
    EXPECT_TRUE(ScramVerifies(*verifier, password)) << password;
    EXPECT_EQ(
        FormatScramVerifier(MakeScramVerifier(password, verifier->salt, verifier->iterations)),
        secret);
    EXPECT_FALSE(ScramVerifies(*verifier, std::string(password) + "x"));
  }
}

TEST(ScramVerifier, EqualPasswordsAfterNormalisationFitEachOther) {
  EXPECT_TRUE(ScramVerifies(*ParseScramVerifier(kStored[1].secret), kStored[2].password));
  EXPECT_TRUE(ScramVerifies(*ParseScramVerifier(kStored[3].secret), "IX x"));
}

TEST(ScramVerifier, EmptyPasswordNeverFitsRule18) {
  EXPECT_FALSE(ScramVerifies(MakeScramVerifier("", "salt", 1), ""));
}

TEST(ScramVerifier, AcceptsAnySaltAndIterationCountRule17) {
  const std::string keys = "$" + std::string(kPlain.secret.substr(kPlain.secret.find('$', 20) + 1));
  EXPECT_EQ(ParseScramVerifier("SCRAM-SHA-256$1:AA==" + keys)->salt, "\0"s);
  EXPECT_EQ(ParseScramVerifier("SCRAM-SHA-256$2147483647:AAAA" + keys)->iterations, 2147483647u);
  EXPECT_EQ(ParseScramVerifier("SCRAM-SHA-256$1:" + std::string(4000, 'A') + keys)->salt.size(),
            3000u);
}

TEST(ScramVerifier, RefusesEveryTruncationAndMalformedParts) {
  const std::string good(kPlain.secret);
  for (size_t n = 0; n < good.size(); ++n) {
    EXPECT_EQ(SqlStateOf(ParseScramVerifier(good.substr(0, n)).status()), "F0000") << n;
  }
  const std::string keys = good.substr(good.find('$', 20));
  for (const std::string& bad :
       {good + "x", good + "=", " " + good, "scram-sha-256" + good.substr(13),
        "SCRAM-SHA-256$0:AAAA" + keys, "SCRAM-SHA-256$-1:AAAA" + keys,
        "SCRAM-SHA-256$+1:AAAA" + keys, "SCRAM-SHA-256$1x:AAAA" + keys,
        "SCRAM-SHA-256$2147483648:AAAA" + keys, "SCRAM-SHA-256$99999999999:AAAA" + keys,
        "SCRAM-SHA-256$1:" + keys, "SCRAM-SHA-256$1:AAA" + keys, "SCRAM-SHA-256$:AAAA" + keys,
        "SCRAM-SHA-256$1:AAAA$AAAA:AAAA"s, "SCRAM-SHA-256-PLUS$1:AAAA" + keys, "md5"s + keys}) {
    EXPECT_FALSE(ParseScramVerifier(bad).ok()) << bad;
  }
}

TEST(MockScramVerifier, IsStableForAUserAndAProcessRule17) {
  EXPECT_EQ(FormatScramVerifier(MockScramVerifier("bob", "s1")),
            FormatScramVerifier(MockScramVerifier("bob", "s1")));
  EXPECT_NE(MockScramVerifier("bob", "s1").salt, MockScramVerifier("bob", "s2").salt);
  EXPECT_NE(MockScramVerifier("bob", "s1").salt, MockScramVerifier("eve", "s1").salt);
}

TEST(MockScramVerifier, LooksLikeARealOneRule17) {
  const ScramVerifier mock = MockScramVerifier("bob", "s1");
  EXPECT_EQ(mock.iterations, kScramDefaultIterations);
  EXPECT_EQ(mock.salt.size(), 16u);
  EXPECT_NE(mock.stored_key, mock.server_key);
  EXPECT_NE(mock.stored_key, ScramKey{});
  EXPECT_FALSE(ScramVerifies(mock, "bob"));
  ScramServer server(mock, "server");
  EXPECT_TRUE(server.First("n,,n=,r=client").ok());
  const std::string no_proof = "c=biws,r=clientserver,p=" + std::string(43, 'A') + "=";
  EXPECT_EQ(SqlStateOf(server.Final(no_proof).status()), "28P01");
}

TEST(SaslPrep, LeavesAsciiAndWhatItCannotPrepareUnchanged) {
  for (const std::string& password : {""s, "plain"s, "a\x7f"s, "\xff\xfe"s, "\xc3"s, "a\0\u00e4"s,
                                      "\u0221\u00ad"s, "\u00a0" + std::string(2000, 'x')}) {
    EXPECT_EQ(SaslPrep(password), password);
  }
}

// RFC 4013, section 3.
TEST(SaslPrep, AgreesWithTheExamplesOfTheRfc) {
  EXPECT_EQ(SaslPrep("I\u00adX"), "IX");
  EXPECT_EQ(SaslPrep("USER"), "USER");
  EXPECT_EQ(SaslPrep("\u00aa"), "a");
  EXPECT_EQ(SaslPrep("\u2168"), "IX");
}

}  // namespace
}  // namespace pgweir::wire
