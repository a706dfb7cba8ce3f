#include "wire/scram.h"

#include "gtest/gtest.h"
#include "wire/base64.h"
#include "wire/hash.h"

namespace pgweir::wire {
namespace {

using std::string_literals::operator""s;

// RFC 7677, section 3.
constexpr std::string_view kPassword = "pencil";
constexpr std::string_view kClientNonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view kSalt = "W22ZaJ0SNY7soEsUEjb6gQ==";
constexpr std::string_view kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

const ScramVerifier& Verifier() {
  static const ScramVerifier verifier =
      MakeScramVerifier(kPassword, Base64Decode(kSalt).value(), kScramDefaultIterations);
  return verifier;
}

ScramServer Server() { return ScramServer(Verifier(), std::string(kServerNonce)); }

Status FirstError(std::string_view client_first) { return Server().First(client_first).status(); }

Status FinalError(std::string_view client_final) {
  ScramServer server = Server();
  EXPECT_EQ(server.First(kClientFirst).value(), kServerFirst);
  return server.Final(client_final).status();
}

// The final message of a client that knows the password; `without_proof` may be anything.
std::string ClientFinal(std::string_view password, const ScramVerifier& verifier,
                        std::string_view client_first_bare, std::string_view server_first,
                        std::string_view without_proof) {
  const auto salted = Pbkdf2Sha256(password, verifier.salt, verifier.iterations);
  auto proof = HmacSha256(AsText(salted), "Client Key");
  const std::string auth_message =
      fmt::format("{},{},{}", client_first_bare, server_first, without_proof);
  const auto signature = HmacSha256(AsText(Sha256(AsText(proof))), auth_message);
  for (size_t i = 0; i < proof.size(); ++i) proof[i] ^= signature[i];
  return fmt::format("{},p={}", without_proof, Base64Encode(AsText(proof)));
}

TEST(ScramServer, AgreesWithTheExampleOfTheRfcRule17) {
  ScramServer server = Server();
  EXPECT_EQ(server.First(kClientFirst).value(), kServerFirst);
  EXPECT_EQ(server.Final(kClientFinal).value(), kServerFinal);
  EXPECT_EQ(Sha256(AsText(server.client_key())), Verifier().stored_key);
}

TEST(ScramServer, AcceptsAnySaltLengthAndIterationCountRule17) {
  for (const size_t salt_size : {1u, 3u, 16u, 300u}) {
    for (const uint32_t iterations : {1u, 77u, 5000u}) {
      const ScramVerifier verifier =
          MakeScramVerifier(kPassword, std::string(salt_size, '\x81'), iterations);
      ScramServer server(verifier, "server");
      const std::string first = server.First("n,,n=,r=client").value();
      EXPECT_EQ(first,
                fmt::format("r=clientserver,s={},i={}", Base64Encode(verifier.salt), iterations));
      EXPECT_TRUE(server
                      .Final(ClientFinal(kPassword, verifier, "n=,r=client", first,
                                         "c=biws,r=clientserver"))
                      .ok());
    }
  }
}

TEST(ScramServer, RefusesWrongProofs) {
  ScramServer server = Server();
  const std::string first = server.First(kClientFirst).value();
  const std::string final = ClientFinal("Pencil", Verifier(), kClientFirst.substr(3), first,
                                        kClientFinal.substr(0, kClientFinal.find(",p=")));
  EXPECT_EQ(SqlStateOf(server.Final(final).status()), "28P01");
}

TEST(ScramServer, RefusesAProofWithAnyBitChanged) {
  const size_t proof_at = kClientFinal.find(",p=") + 3;
  const std::string proof = Base64Decode(kClientFinal.substr(proof_at)).value();
  for (size_t i = 0; i < proof.size(); ++i) {
    std::string changed = proof;
    changed[i] ^= 1 << i % 8;
    const std::string final = std::string(kClientFinal.substr(0, proof_at)) + Base64Encode(changed);
    EXPECT_EQ(SqlStateOf(FinalError(final)), "28P01") << i;
  }
}

TEST(ScramServer, RefusesProofsOfAnotherLengthOrNoBase64) {
  const std::string start(kClientFinal.substr(0, kClientFinal.find(",p=") + 3));
  for (const std::string& proof :
       {""s, "AAAA"s, Base64Encode(std::string(31, 'x')), Base64Encode(std::string(33, 'x')),
        std::string(44, '*'), std::string(kClientFinal.substr(start.size())) + ",x=y"}) {
    EXPECT_EQ(SqlStateOf(FinalError(start + proof)), "08P01") << proof;
  }
}

// A proof that is right for the tampered message, so that only the nonce can be the reason.
TEST(ScramServer, RefusesTamperedNoncesRule17) {
  const std::string nonce = std::string(kClientNonce) + std::string(kServerNonce);
  for (const std::string& tampered :
       {nonce + "x", nonce.substr(1), nonce.substr(0, nonce.size() - 1), std::string(kClientNonce),
        std::string(kServerNonce), ""s, "s" + nonce.substr(1)}) {
    const Status status = FinalError(ClientFinal(kPassword, Verifier(), kClientFirst.substr(3),
                                                 kServerFirst, "c=biws,r=" + tampered));
    EXPECT_EQ(SqlStateOf(status), "08P01") << tampered;
    EXPECT_EQ(MessageOf(status), "invalid SCRAM response: nonce does not match");
  }
}

TEST(ScramServer, WantsTheGs2HeaderEchoedExactlyRule17) {
  // "n,," is biws; eSws is "y,,", cD10bHM= is "p=tls", biw= is "n,".
  const std::string rest = ",r=" + std::string(kClientNonce) + std::string(kServerNonce);
  for (const std::string binding : {"eSws", "cD10bHM=", "biw=", "", "biws==", "biwsAAAA", "n,,"}) {
    const Status status = FinalError(ClientFinal(kPassword, Verifier(), kClientFirst.substr(3),
                                                 kServerFirst, "c=" + binding + rest));
    EXPECT_EQ(SqlStateOf(status), "08P01") << binding;
  }
}

TEST(ScramServer, TakesAClientThatSawNoChannelBindingOfferedRule17) {
  for (const auto& [binding, accepted] :
       {std::pair<std::string, bool>{"eSws", true}, {"biws", false}}) {
    ScramServer server(Verifier(), "server");
    const std::string first = server.First("y,,n=,r=client").value();
    const auto final = server.Final(ClientFinal(kPassword, Verifier(), "n=,r=client", first,
                                                fmt::format("c={},r=clientserver", binding)));
    EXPECT_EQ(final.ok(), accepted) << binding;
  }
}

TEST(ScramServer, RefusesChannelBindingAndOtherGs2HeadersRule17) {
  for (const std::string_view first :
       {"p=tls-server-end-point,,n=,r=x", "p,,n=,r=x", "x,,n=,r=x", "n", "n,", "nn,n=,r=x",
        "n,x=,n=,r=x", ",,n=,r=x", "N,,n=,r=x", "n,,"}) {
    EXPECT_EQ(SqlStateOf(FirstError(first)), "08P01") << first;
  }
}

TEST(ScramServer, RefusesWhatItDoesNotSupport) {
  EXPECT_EQ(SqlStateOf(FirstError("n,a=root,n=,r=x")), "0A000");
  EXPECT_EQ(SqlStateOf(FirstError("n,,m=ext,n=,r=x")), "0A000");
  EXPECT_EQ(SqlStateOf(FirstError("n,,n=,r=x,m=ext")), "0A000");
  EXPECT_EQ(SqlStateOf(FinalError(std::string(kClientFinal.substr(0, kClientFinal.find(",p="))) +
                                  ",m=ext,p=AAAA")),
            "0A000");
}

TEST(ScramServer, IgnoresUserNameAndOptionalExtensions) {
  for (const std::string bare : {"n=,r=client", "n=m=2Cx,r=client", "n=\xc3\xa4,r=client",
                                 "n=somebody,r=client,x=1,y=", "n=*,r=client,z=a=b"}) {
    ScramServer server(Verifier(), "server");
    const auto first = server.First("n,," + bare);
    ASSERT_TRUE(first.ok()) << bare << first.status();
    for (const std::string end : {"", ",t=9", ",t=9,u="}) {
      EXPECT_TRUE(server
                      .Final(ClientFinal(kPassword, Verifier(), bare, *first,
                                         "c=biws,r=clientserver" + end))
                      .ok())
          << bare << end;
    }
  }
}

TEST(ScramServer, RefusesMalformedAttributes) {
  for (const std::string& bare :
       {"n="s, "r=x"s, "r=x,n="s, "n=,x=1,r=x"s, "n=,r="s, "n=,r"s, "n,r=x"s, "n=,r=x,"s,
        "n=,r=x,5=x"s, "n=,r=x,xx"s, "n=,,r=x"s, "n=,r=x y"s, "n=,r=x\x7f"s, "n=,r=x\xc3\xa4"s,
        "n=,r=x\0"s, "n=a\0b,r=x"s}) {
    EXPECT_EQ(SqlStateOf(FirstError("n,," + bare)), "08P01") << bare;
  }
}

// Every printable character but the comma (RFC 5802, section 7).
TEST(ScramServer, BoundsNonceLengthAndCharactersRule17) {
  std::string printable;
  for (char c = '!'; c <= '~'; ++c) {
    if (c != ',') printable += c;
  }
  EXPECT_TRUE(FirstError("n,,n=,r=" + printable).ok());
  EXPECT_TRUE(FirstError("n,,n=,r=" + std::string(1024, 'r')).ok());
  EXPECT_EQ(SqlStateOf(FirstError("n,,n=,r=" + std::string(1025, 'r'))), "08P01");
  EXPECT_EQ(SqlStateOf(FirstError("n,,n=" + std::string(60000, 'u') + ",r=x")), "08P01");
  EXPECT_EQ(SqlStateOf(FinalError(std::string(kClientFinal) + std::string(60000, 'A'))), "08P01");
}

TEST(ScramServer, RefusesEveryTruncation) {
  for (size_t n = 0; n < kClientFirst.size(); ++n) {
    const std::vector<char> cut(kClientFirst.begin(), kClientFirst.begin() + n);
    const Status status = FirstError({cut.data(), n});
    // A shorter nonce is a nonce too.
    const bool nonce_begun = n > kClientFirst.find("r=") + 2;
    EXPECT_EQ(status.ok(), nonce_begun) << n;
    if (!nonce_begun) EXPECT_EQ(SqlStateOf(status), "08P01") << n;
  }
  for (size_t n = 0; n < kClientFinal.size(); ++n) {
    const std::vector<char> cut(kClientFinal.begin(), kClientFinal.begin() + n);
    EXPECT_EQ(SqlStateOf(FinalError({cut.data(), n})), "08P01") << n;
  }
}

TEST(ScramServer, RefusesFinalBeforeFirst) {
  EXPECT_EQ(SqlStateOf(Server().Final(kClientFinal).status()), "08P01");
  const std::string without_header =
      "c=,r=" + std::string(kServerNonce) + ",p=" + Base64Encode(std::string(32, 'x'));
  EXPECT_EQ(SqlStateOf(Server().Final(without_header).status()), "08P01");
}

// --- channel binding (RFC 5802, section 6; RFC 5929) ---

constexpr std::string_view kEndPoint = "the hash of a certificate\xff";

ScramServer Bound(bool plus_selected) {
  return ScramServer(Verifier(), "server",
                     {.server_end_point = std::string(kEndPoint), .plus_selected = plus_selected});
}

// What a client's final message with this binding is answered.
StatusOr<std::string> BoundFinal(ScramServer& server, std::string_view header,
                                 std::string_view bound_to) {
  const auto first = server.First(std::string(header) + "n=,r=client");
  if (!first.ok()) return first.status();
  const std::string binding = Base64Encode(std::string(header) + std::string(bound_to));
  return server.Final(ClientFinal(kPassword, Verifier(), "n=,r=client", *first,
                                  fmt::format("c={},r=clientserver", binding)));
}

TEST(ScramChannelBinding, LetsInWhoSeesTheSameCertificate) {
  ScramServer server = Bound(true);
  EXPECT_TRUE(BoundFinal(server, "p=tls-server-end-point,,", kEndPoint).ok());
}

TEST(ScramChannelBinding, RefusesWhoSeesAnotherCertificate) {
  for (const std::string_view seen : {"another", "", "the hash of a certificate"}) {
    ScramServer server = Bound(true);
    const auto answer = BoundFinal(server, "p=tls-server-end-point,,", seen);
    EXPECT_EQ(SqlStateOf(answer.status()), "28000") << seen;
  }
}

TEST(ScramChannelBinding, IsNotNeeded) {
  ScramServer server = Bound(false);
  EXPECT_TRUE(BoundFinal(server, "n,,", "").ok());
}

TEST(ScramChannelBinding, RefusesAClientThatDidNotSeeItOfferedRule17) {
  ScramServer server = Bound(false);
  EXPECT_EQ(SqlStateOf(server.First("y,,n=,r=client").status()), "28000");
}

TEST(ScramChannelBinding, FlagAndMechanismMustGoTogether) {
  for (const std::string header : {"n,,", "y,,", "p=tls-unique,,", "p=,,", "p=tls-server-end-point",
                                   "p=tls-server-end-pointx,,"}) {
    EXPECT_EQ(SqlStateOf(Bound(true).First(header + "n=,r=client").status()), "08P01") << header;
  }
  EXPECT_EQ(SqlStateOf(Bound(false).First("p=tls-server-end-point,,n=,r=client").status()),
            "08P01");
}

}  // namespace
}  // namespace pgweir::wire
