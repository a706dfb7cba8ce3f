#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A client that speaks bytes: for what libpq would never send, and for seeing each message.

namespace pgweir::test {

struct Message {
  char type = 0;
  std::string body;
};

// One field of an ErrorResponse or NoticeResponse ('C' SQLSTATE, 'M' message, 'S' severity…).
std::string Field(const Message& message, char field);

// The types of messages in order, e.g. "TDCZ".
std::string Types(const std::vector<Message>& messages);

// The first message of this type, or null.
const Message* Find(const std::vector<Message>& messages, char type);

// The columns of a DataRow. NULL reads as "".
std::vector<std::string> Columns(const Message& row);

// Frontend messages, as bytes; pgweir's own builders are not asked, so that a fault in them shows.
namespace fe {
std::string Typed(char type, std::string_view body);  // any message
std::string Int16(int value);
std::string Int32(uint32_t value);
std::string Startup(const std::vector<std::pair<std::string, std::string>>& parameters,
                    uint32_t version = 3 << 16);
std::string Request(uint32_t code);               // SSLRequest, GSSENCRequest
std::string CancelRequest(std::string_view key);  // the body of BackendKeyData
std::string Query(std::string_view sql);
std::string Parse(std::string_view name, std::string_view sql,
                  const std::vector<uint32_t>& types = {});
std::string Bind(std::string_view portal, std::string_view statement,
                 const std::vector<std::string>& parameters = {});
// A parameter of none is NULL; formats are 0 for text, 1 for binary, as many as the protocol
// allows.
std::string BindFormats(std::string_view portal, std::string_view statement,
                        const std::vector<int>& parameter_formats,
                        const std::vector<std::optional<std::string>>& parameters,
                        const std::vector<int>& result_formats);
std::string Describe(char kind, std::string_view name);
std::string Execute(std::string_view portal, uint32_t max_rows = 0);
std::string Close(char kind, std::string_view name);
std::string Sync();
std::string Flush();
std::string Password(std::string_view text);
std::string CopyData(std::string_view data);
std::string CopyDone();
std::string CopyFail(std::string_view reason);
std::string Terminate();
// Parse, Bind, Describe and Execute of one unnamed statement, without Sync.
std::string Extended(std::string_view sql, const std::vector<std::string>& parameters = {});
}  // namespace fe

// Blocking, each read with a deadline. Throws when the peer doesn't answer in time or closes while
// a message is expected.
class RawClient {
 public:
  explicit RawClient(int port);                        // 127.0.0.1
  explicit RawClient(const std::string& socket_path);  // unix
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // Connects and logs in where the method is trust; the messages up to ReadyForQuery.
  static RawClient Login(int port, std::string_view user = "postgres",
                         std::string_view database = "postgres");

  void Send(std::string_view bytes);
  void SendSlowly(std::string_view bytes);  // one byte a write
  // As much as goes without blocking.
  size_t SendSome(std::string_view bytes);

  void set_timeout_ms(int timeout_ms) { timeout_ms_ = timeout_ms; }
  char ReadByte();
  Message Read();
  // As Read; throws unless the message is of this type.
  Message Expect(char type);
  std::vector<Message> ReadUntil(char type);
  std::vector<Message> ReadUntilReady() { return ReadUntil('Z'); }
  // Sends a Query and reads its whole answer.
  std::vector<Message> Query(std::string_view sql);
  // Whether nothing comes within the time.
  bool Silent(int for_ms);
  // Whether the peer closes within the time-out, after no further byte.
  bool ClosedByPeer();

  const std::vector<Message>& welcome() const { return welcome_; }
  int fd() const { return fd_; }
  void HalfClose();
  void Reset();  // RST instead of FIN
  void Close();

 private:
  bool WaitReadable(int timeout_ms);
  bool Fill();  // false at the peer's end

  int fd_ = -1;
  int timeout_ms_ = 10'000;
  std::string in_;
  size_t at_ = 0;
  std::vector<Message> welcome_;
};

}  // namespace pgweir::test
