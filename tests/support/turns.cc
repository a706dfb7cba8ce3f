#include "tests/support/turns.h"

#include "fmt/format.h"

namespace pgweir::test {

void Turns::SetUp() {
  ProxyTest::SetUp();
  if (!through()) return;
  process_ = std::make_unique<PgweirProcess>(
      PgweirOptions{.listen = "workers = 1",
                    .pool = "size = 1\n" + MorePool(),
                    .databases = DatabaseToml("*", server().port())});
}

void Turns::TearDown() {
  if (process_ != nullptr) {
    EXPECT_TRUE(process_->Running());
    if (HasFailure()) process_->ShowLog();
  }
  process_.reset();
  ProxyTest::TearDown();
}

int Turns::port() const { return through() ? process_->port() : server().port(); }

std::string Turns::Conninfo(std::string_view more) const {
  return fmt::format("{} {}", through() ? process_->Conninfo() : server().Conninfo(), more);
}

std::string Line(const std::vector<Message>& messages) {
  std::string line;
  for (const Message& message : messages) {
    if (message.type == 'N' || message.type == 'S') continue;
    if (!line.empty()) line += ' ';
    line += message.type;
    if (message.type == 'D') line += fmt::format("({})", fmt::join(Columns(message), ","));
    if (message.type == 'E') line += fmt::format("({})", Field(message, 'C'));
    if (message.type == 'C') line += fmt::format("({})", message.body.c_str());
    if (message.type == 'Z') line += message.body;
  }
  return line;
}

std::string Ask(RawClient& client, std::string_view bytes) {
  client.Send(bytes);
  return Line(client.ReadUntilReady());
}

std::string Simple(RawClient& client, std::string_view sql) { return Ask(client, fe::Query(sql)); }

std::string Batch(RawClient& client, std::string_view bytes) {
  return Ask(client, std::string(bytes) + fe::Sync());
}

}  // namespace pgweir::test
