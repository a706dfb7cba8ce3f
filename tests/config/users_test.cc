#include "config/users.h"

#include "tests/config/config_fixture.h"

namespace pgweir::config {
namespace {

using std::string_literals::operator""s;

Users Good(std::string_view text) {
  auto users = ParseUsers(text, "users.txt");
  EXPECT_TRUE(users.ok()) << MessageOf(users.status());
  return users.ok() ? *std::move(users) : Users();
}

std::string Secret(const Users& users, std::string_view name) {
  const std::string* secret = users.Find(name);
  return secret != nullptr ? *secret : "no such user";
}

std::string Fault(std::string_view text) {
  const auto users = ParseUsers(text, "users.txt");
  if (users.ok()) return "no error";
  EXPECT_EQ(SqlStateOf(users.status()), sqlstate::kConfigFileError);
  return MessageOf(users.status());
}

TEST(Users, KeepsEachKindOfSecretAsWritten) {
  const std::string verifier = "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy";
  const Users users = Good("\"plain\" \"hunter2\"\n\"hashed\" \"md5" + std::string(32, 'a') +
                           "\"\n\"scram\" \"" + verifier + "\"\n\"empty\" \"\"\n");
  EXPECT_EQ(users.size(), 4u);
  EXPECT_EQ(Secret(users, "plain"), "hunter2");
  EXPECT_EQ(Secret(users, "hashed"), "md5" + std::string(32, 'a'));
  EXPECT_EQ(Secret(users, "scram"), verifier);
  EXPECT_EQ(Secret(users, "empty"), "");
  EXPECT_EQ(users.Find("Plain"), nullptr);
}

TEST(Users, HalvesDoubledQuotes) {
  const Users users = Good("\"a\"\"b\" \"\"\"c;#\"\"\"\"\"");
  EXPECT_EQ(Secret(users, "a\"b"), "\"c;#\"\"");
}

TEST(Users, SkipsCommentsBlankLinesAndWhatFollowsTheSecret) {
  const Users users = Good(
      "; comment\n# another\n\n  \t\r\n  \"a\"\t \"1\" more \"here\"\r\n ;\"b\" \"2\"\n\"c\" "
      "\"3\"");
  EXPECT_EQ(users.size(), 2u);
  EXPECT_EQ(Secret(users, "a"), "1");
  EXPECT_EQ(Secret(users, "c"), "3");
}

TEST(Users, TakesTheLastLineOfAUser) {
  EXPECT_EQ(Secret(Good("\"a\" \"1\"\n\"a\" \"2\"\n"), "a"), "2");
}

TEST(Users, MayBeNone) { EXPECT_EQ(Good("").size(), 0u); }

TEST(Users, FaultsNameTheirPlace) {
  EXPECT_EQ(Fault("\n  app \"x\""), "users.txt:2:3: expected a user name in double quotes");
  EXPECT_EQ(Fault("\"a\""), "users.txt:1:4: expected a space after the user name");
  EXPECT_EQ(Fault("\"a\"\"b\" \"x\""), "no error");
  EXPECT_EQ(Fault("\"a\" \n\"x\""), "users.txt:1:5: expected a secret in double quotes");
  EXPECT_EQ(Fault("\"a\" x"), "users.txt:1:5: expected a secret in double quotes");
  EXPECT_EQ(Fault("\"a\" \"x\n\"b\" \"y\"\n"),
            "users.txt:1:7: expected a double quote at the end of a secret");
  EXPECT_EQ(Fault("\"a"), "users.txt:1:3: expected a double quote at the end of a user name");
  EXPECT_EQ(Fault("\"\" \"x\""), "users.txt:1:3: a user name must not be empty");
  EXPECT_EQ(Fault("\"a\" \"x\0y\""s), "users.txt:1:7: unexpected character U+0000");
}

TEST(Users, BoundsNamesAndSecrets) {
  const std::string name(255, 'n');
  const std::string secret(2047, 's');
  EXPECT_EQ(Secret(Good("\"" + name + "\" \"" + secret + "\""), name), secret);
  EXPECT_EQ(Fault("\"" + name + "n\" \"x\""),
            "users.txt:1:257: a user name must have at most 255 bytes");
  EXPECT_EQ(Fault("\"a\" \"" + secret + "s\""),
            "users.txt:1:2053: a secret must have at most 2047 bytes");
}

TEST(Users, FaultsNeverShowASecret) {
  for (const char* line : {"\"app\" hunter2", "\"app\" \"hunter2", "\"app\" \"\"hunter2\"",
                           "\"app\" \"x\"hunter2\"", "\"app\"\"hunter2\"", "hunter2"}) {
    const std::string message = Fault(line);
    EXPECT_NE(message, "no error") << line;
    EXPECT_EQ(message.find("hunter"), std::string::npos) << message;
  }
}

class UsersFile : public ConfigTest {};

TEST_F(UsersFile, IsReadFromDisk) {
  const auto users = LoadUsers(File("users.txt"));
  ASSERT_TRUE(users.ok());
  EXPECT_EQ(Secret(*users, "app"), "secret");
}

TEST_F(UsersFile, HasToBeAnExistingRegularFile) {
  EXPECT_EQ(MessageOf(LoadUsers(File("absent")).status()),
            File("absent") + ":1:1: cannot be read: No such file or directory");
  EXPECT_EQ(MessageOf(LoadUsers(File("")).status()), File("") + ":1:1: is not a regular file");
  ASSERT_EQ(mkfifo(File("pipe").c_str(), 0600), 0);
  EXPECT_EQ(MessageOf(LoadUsers(File("pipe")).status()),
            File("pipe") + ":1:1: is not a regular file");
}

TEST_F(UsersFile, IsRefusedBeyondItsBound) {
  Write("large.txt", "");
  std::filesystem::resize_file(File("large.txt"), kMaxUsersFileBytes + 1);
  EXPECT_EQ(MessageOf(LoadUsers(File("large.txt")).status()),
            File("large.txt") + ":1:1: is longer than 64 MiB");
}

}  // namespace
}  // namespace pgweir::config
