#include "tests/support/raw_client.h"

namespace pgweir::test {

std::string Field(const Message& message, char field) {
  for (size_t at = 0; at < message.body.size() && message.body[at] != 0;) {
    std::string value = message.body.c_str() + at + 1;
    if (message.body[at] == field) return value;
    at += 2 + value.size();
  }
  return "";
}

std::string Types(const std::vector<Message>& messages) {
  std::string types;
  for (const Message& message : messages) types += message.type;
  return types;
}

const Message* Find(const std::vector<Message>& messages, char type) {
  for (const Message& message : messages) {
    if (message.type == type) return &message;
  }
  return nullptr;
}

std::vector<std::string> Columns(const Message& row) {
  auto byte = [&](size_t at) {
    return static_cast<uint32_t>(static_cast<uint8_t>(row.body.at(at)));
  };
  std::vector<std::string> columns((byte(0) << 8) | byte(1));
  size_t at = 2;
  for (std::string& column : columns) {
    uint32_t length = byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3);
    at += 4;
    if (length == 0xffffffff) continue;
    column = row.body.substr(at, length);
    at += length;
  }
  return columns;
}

namespace fe {
namespace {

std::string Text(std::string_view text) { return std::string(text) + '\0'; }

}  // namespace

std::string Int16(int value) { return {static_cast<char>(value >> 8), static_cast<char>(value)}; }

std::string Int32(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string Typed(char type, std::string_view body) {
  return std::string(1, type) + Int32(static_cast<uint32_t>(body.size() + 4)) + std::string(body);
}

std::string Startup(const std::vector<std::pair<std::string, std::string>>& parameters,
                    uint32_t version) {
  std::string body = Int32(version);
  for (const auto& [name, value] : parameters) body += Text(name) + Text(value);
  body += '\0';
  return Int32(static_cast<uint32_t>(body.size() + 4)) + body;
}

std::string Request(uint32_t code) { return Int32(8) + Int32(code); }

std::string Query(std::string_view sql) { return Typed('Q', Text(sql)); }

std::string CancelRequest(std::string_view key) {
  constexpr uint32_t kCancelCode = 80877102;
  return Int32(static_cast<uint32_t>(8 + key.size())) + Int32(kCancelCode) + std::string(key);
}

std::string Parse(std::string_view name, std::string_view sql, const std::vector<uint32_t>& types) {
  std::string body = Text(name) + Text(sql) + Int16(static_cast<int>(types.size()));
  for (uint32_t type : types) body += Int32(type);
  return Typed('P', body);
}

std::string Bind(std::string_view portal, std::string_view statement,
                 const std::vector<std::string>& parameters) {
  std::string body = Text(portal) + Text(statement) + Int16(0);
  body += Int16(static_cast<int>(parameters.size()));
  for (const std::string& parameter : parameters) {
    body += Int32(static_cast<uint32_t>(parameter.size())) + parameter;
  }
  return Typed('B', body + Int16(0));
}

std::string BindFormats(std::string_view portal, std::string_view statement,
                        const std::vector<int>& parameter_formats,
                        const std::vector<std::optional<std::string>>& parameters,
                        const std::vector<int>& result_formats) {
  std::string body = Text(portal) + Text(statement);
  body += Int16(static_cast<int>(parameter_formats.size()));
  for (int format : parameter_formats) body += Int16(format);
  body += Int16(static_cast<int>(parameters.size()));
  for (const std::optional<std::string>& parameter : parameters) {
    body += Int32(parameter ? static_cast<uint32_t>(parameter->size()) : 0xffffffff);
    body += parameter.value_or("");
  }
  body += Int16(static_cast<int>(result_formats.size()));
  for (int format : result_formats) body += Int16(format);
  return Typed('B', body);
}

std::string Describe(char kind, std::string_view name) {
  return Typed('D', std::string(1, kind) + Text(name));
}

std::string Execute(std::string_view portal, uint32_t max_rows) {
  return Typed('E', Text(portal) + Int32(max_rows));
}

std::string Close(char kind, std::string_view name) {
  return Typed('C', std::string(1, kind) + Text(name));
}

std::string Sync() { return Typed('S', ""); }
std::string Flush() { return Typed('H', ""); }
std::string Password(std::string_view text) { return Typed('p', Text(text)); }
std::string CopyData(std::string_view data) { return Typed('d', data); }
std::string CopyDone() { return Typed('c', ""); }
std::string CopyFail(std::string_view reason) { return Typed('f', Text(reason)); }
std::string Terminate() { return Typed('X', ""); }

std::string Extended(std::string_view sql, const std::vector<std::string>& parameters) {
  return Parse("", sql) + Bind("", "", parameters) + Describe('P', "") + Execute("");
}

}  // namespace fe
}  // namespace pgweir::test
