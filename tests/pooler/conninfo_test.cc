#include "pooler/conninfo.h"

#include <gtest/gtest.h>

namespace pgweir::pooler {
namespace {

StatusOr<ConnectionSettings> Read(const std::string& connection_string) {
  Target target;
  target.connection_string = connection_string;
  target.user = "alice";
  return ReadConninfo(target);
}

std::string ErrorOf(const std::string& connection_string) {
  return MessageOf(Read(connection_string).status());
}

std::string Hosts(const std::string& connection_string) {
  const auto settings = Read(connection_string);
  if (!settings.ok()) return MessageOf(settings.status());
  std::string text;
  for (const ServerHost& host : settings->hosts) {
    text += fmt::format("{}[{}]:{}{} ", host.name, host.address, host.port,
                        host.unix_socket ? "u" : "");
  }
  return text;
}

std::string Startup(const Target& target) {
  std::string text;
  const auto settings = ReadConninfo(target);
  if (!settings.ok()) return MessageOf(settings.status());
  for (const auto& [name, value] : settings->startup) text += name + "=" + value + " ";
  return text;
}

TEST(Conninfo, ListsHostsAsLibpqDoes) {
  EXPECT_EQ(Hosts("host=a"), "a[]:5432 ");
  EXPECT_EQ(Hosts("host=a,b port=1"), "a[]:1 b[]:1 ");
  EXPECT_EQ(Hosts("host=a,b,c port=1,,3"), "a[]:1 b[]:5432 c[]:3 ");
  EXPECT_EQ(Hosts("hostaddr=10.0.0.1,10.0.0.2 host=a,b"), "a[10.0.0.1]:5432 b[10.0.0.2]:5432 ");
  EXPECT_EQ(Hosts("hostaddr=10.0.0.1"), "[10.0.0.1]:5432 ");
  EXPECT_EQ(Hosts("host=/run/a,@b port=7"), "/run/a[]:7u @b[]:7u ");
  EXPECT_EQ(Hosts("postgresql://a:1,[::1]:2/d"), "a[]:1 ::1[]:2 ");
  EXPECT_EQ(Hosts(""), "/var/run/postgresql[]:5432u ");
}

TEST(Conninfo, RefusesListsThatDoNotFit) {
  EXPECT_NE(ErrorOf("host=a,b port=1,2,3").find("port"), std::string::npos);
  EXPECT_NE(ErrorOf("host=a,b hostaddr=10.0.0.1").find("hostaddr"), std::string::npos);
  for (const char* port : {"0", "65536", "x", "-1"}) {
    EXPECT_NE(ErrorOf(fmt::format("host=a port={}", port)).find("port"), std::string::npos) << port;
  }
}

TEST(Conninfo, PutsTheTargetOverTheString) {
  Target target;
  target.connection_string = "host=a dbname=d user=u application_name=x options='-c a=b'";
  EXPECT_EQ(Startup(target), "user=u database=d options=-c a=b application_name=x ");
  target.database = "other";
  target.user = "alice";
  target.keywords = {{"replication", "database"}, {"application_name", "y"}};
  EXPECT_EQ(Startup(target),
            "user=alice database=other replication=database options=-c a=b application_name=y ");
}

TEST(Conninfo, NamesWhatItCanNotHonour) {
  for (const char* keyword : {"service=x", "requirepeer=postgres", "client_encoding=auto"}) {
    const std::string error = ErrorOf(std::string("host=a ") + keyword);
    EXPECT_NE(error.find(std::string(keyword).substr(0, 7)), std::string::npos) << error;
  }
  EXPECT_EQ(ErrorOf("host=a password=x sslsni=1 krbsrvname=y gssencmode=prefer"), "");
}

TEST(Conninfo, ShowsNoValueOfABadString) {
  for (const char* bad : {"host=a passwrd=secret", "host=a connect_timeout=secret",
                          "host=a sslmode=secret", "host=a port=secret"}) {
    const std::string error = ErrorOf(bad);
    EXPECT_NE(error, "") << bad;
    EXPECT_EQ(error.find("secret"), std::string::npos) << error;
  }
}

TEST(Conninfo, ReadsSocketOptions) {
  const auto settings = Read(
      "host=a connect_timeout=3 keepalives_idle=4 keepalives_interval=5 keepalives_count=6 "
      "tcp_user_timeout=7 target_session_attrs=standby channel_binding=require");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->connect_timeout, std::chrono::seconds(3));
  EXPECT_TRUE(settings->keepalives);
  EXPECT_EQ(settings->keepalives_idle, 4);
  EXPECT_EQ(settings->keepalives_interval, 5);
  EXPECT_EQ(settings->keepalives_count, 6);
  EXPECT_EQ(settings->tcp_user_timeout_ms, 7);
  EXPECT_EQ(settings->attributes, SessionAttributes::kStandby);
  EXPECT_EQ(settings->channel_binding, ChannelBinding::kRequire);
  EXPECT_FALSE(Read("host=a keepalives=0")->keepalives);
}

TEST(Conninfo, VerifiesOnlyByAuthoritiesThatAreThere) {
  EXPECT_EQ(Read("host=a sslmode=verify-full").status().ok(), false);
  EXPECT_NE(ErrorOf("host=a sslmode=verify-ca sslrootcert=/nowhere/root").find("sslrootcert"),
            std::string::npos);
  // libpq's rule: authorities that are there are asked, whatever the mode.
  EXPECT_TRUE(Read("host=a sslmode=require sslrootcert=/etc/hostname")->tls.verify);
  EXPECT_FALSE(Read("host=a sslmode=require sslrootcert=/nowhere/root")->tls.verify);
}

TEST(UserIn, FindsTheUserOfEitherForm) {
  EXPECT_EQ(*UserIn("host=a user=b password=c"), "b");
  EXPECT_EQ(*UserIn("postgresql://b:c@a/d"), "b");
  EXPECT_EQ(*UserIn("host=a"), "");
}

// libpq quotes what it does not understand.
TEST(UserIn, ShowsNoPasswordInItsErrors) {
  for (const char* bad : {"host=a passwrd=secret", "postgresql://u:secret@[::1]x/db",
                          "host=a password=not quoted secret", "postgresql://u:secret@[::1/db"}) {
    const auto user = UserIn(bad);
    ASSERT_FALSE(user.ok()) << bad;
    EXPECT_EQ(MessageOf(user.status()).find("secret"), std::string::npos)
        << MessageOf(user.status());
  }
}

}  // namespace
}  // namespace pgweir::pooler
