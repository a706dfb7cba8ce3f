#include "wire/proxy_header.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "wire/byte_reader.h"

namespace pgweir::wire {
namespace {

// Version 1 is a line of text; with its end it has at most 107 bytes.
constexpr std::string_view kV1Signature = "PROXY ";
constexpr size_t kMaxV1 = 107;

// Version 2: a signature, version and command, family and transport, length of the rest.
constexpr std::string_view kV2Signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kV2Head = 16;
constexpr uint8_t kLocal = 0x20;
constexpr uint8_t kProxied = 0x21;
constexpr uint8_t kTcp4 = 0x11;
constexpr uint8_t kTcp6 = 0x21;
constexpr uint8_t kUnspecified = 0x00;
constexpr uint8_t kUnixStream = 0x31;
constexpr size_t kUnixAddresses = 216;
constexpr char kChecksum = 0x03;  // PP2_TYPE_CRC32C

Status Malformed(std::string_view why) {
  return Errorf(sqlstate::kProtocolViolation, "malformed PROXY header: {}", why);
}

// What precedes the next space, which is taken too.
std::string_view Word(std::string_view& line) {
  const size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::optional<uint16_t> Port(std::string_view text) {
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  const bool has_leading_zero = text.size() > 1 && text[0] == '0';
  if (error != std::errc() || stop != end || has_leading_zero) return std::nullopt;
  return port;
}

StatusOr<ProxyHeader> ReadV1(std::string_view in) {
  const size_t end = in.substr(0, kMaxV1).find("\r\n");
  if (end == std::string_view::npos) {
    if (in.size() >= kMaxV1) return Malformed("the line does not end");
    return ProxyHeader();
  }
  ProxyHeader header;
  header.size = end + 2;
  std::string_view line = in.substr(kV1Signature.size(), end - kV1Signature.size());
  const std::string_view family = Word(line);
  if (family == "UNKNOWN") return header;
  if (family != "TCP4" && family != "TCP6") return Malformed("unknown protocol");
  const std::string_view source_text = Word(line);
  const auto source = IpAddress::Parse(source_text);
  const auto destination = IpAddress::Parse(Word(line));
  const auto source_port = Port(Word(line));
  const auto destination_port = Port(line);
  if (!source.has_value() || !destination.has_value() || !source_port.has_value() ||
      !destination_port.has_value()) {
    return Malformed("unusable address or port");
  }
  // By the notation: a wrapped IPv4 address is written as one of IPv6.
  const bool is_v6 = source_text.find(':') != std::string_view::npos;
  if (is_v6 != (family == "TCP6")) return Malformed("address of another family");
  header.source = {*source, *source_port};
  return header;
}

// CRC-32C (Castagnoli), reflected.
uint32_t Crc32c(std::string_view bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> made{};
    for (uint32_t i = 0; i < made.size(); ++i) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0x82f63b78 : 0);
      made[i] = value;
    }
    return made;
  }();
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

// Passes over the additional fields. `header` is the whole header, at whose end they stand.
Status CheckFields(std::string_view header, std::string_view fields) {
  ByteReader reader(AsBytes(fields));
  while (!reader.at_end()) {
    const std::optional<char> type = reader.Byte();
    const std::optional<uint16_t> length = reader.Int16();
    const size_t at = header.size() - reader.rest().size();
    if (!length.has_value() || !reader.Take(*length).has_value()) {
      return Malformed("an additional field is cut off");
    }
    if (*type != kChecksum) continue;
    // Computed with zeros in its own place.
    if (*length != 4) return Malformed("a checksum of unusable length");
    std::string zeroed(header);
    zeroed.replace(at, 4, 4, '\0');
    if (ByteReader(AsBytes(header.substr(at, 4))).Int32() != Crc32c(zeroed)) {
      return Malformed("the checksum is wrong");
    }
  }
  return absl::OkStatus();
}

// Takes both addresses and ports off the reader.
std::optional<ProxyHeader::Source> TakeSource(ByteReader& reader, size_t address_size) {
  const auto source = reader.Take(address_size);
  const auto destination = reader.Take(address_size);
  const auto source_port = reader.Int16();
  const auto destination_port = reader.Int16();
  if (!destination.has_value() || !destination_port.has_value()) return std::nullopt;
  return ProxyHeader::Source{IpAddress::FromBytes(*source), *source_port};
}

StatusOr<ProxyHeader> ReadV2(std::string_view in) {
  if (in.size() < kV2Head) return ProxyHeader();
  const auto command = static_cast<uint8_t>(in[12]);
  const auto family = static_cast<uint8_t>(in[13]);
  const auto high = static_cast<unsigned char>(in[14]), low = static_cast<unsigned char>(in[15]);
  const size_t size = kV2Head + static_cast<size_t>(high << 8 | low);
  if (command != kLocal && command != kProxied) return Malformed("unknown version or command");
  if (size > kMaxProxyHeader) return Malformed("too long");
  if (in.size() < size) return ProxyHeader();
  ProxyHeader header;
  header.size = size;
  // Of the balancer's own connections the rest means nothing.
  if (command == kLocal) return header;
  in = in.substr(0, size);
  ByteReader reader(AsBytes(in.substr(kV2Head)));
  switch (family) {
    case kTcp4:
    case kTcp6:
      header.source = TakeSource(reader, family == kTcp4 ? 4 : 16);
      if (!header.source.has_value()) return Malformed("the addresses are cut off");
      break;
    case kUnixStream:
      if (!reader.Take(kUnixAddresses).has_value()) return Malformed("the addresses are cut off");
      break;
    case kUnspecified:
      return header;
    default:
      return Malformed("unknown family or transport");
  }
  const Status fields = CheckFields(in, reader.rest());
  if (!fields.ok()) return fields;
  return header;
}

}  // namespace

bool BeginsProxyHeader(std::byte first) {
  return first == static_cast<std::byte>(kV1Signature[0]) ||
         first == static_cast<std::byte>(kV2Signature[0]);
}

StatusOr<ProxyHeader> ReadProxyHeader(Bytes in) {
  const std::string_view text = AsText(in);
  if (text.starts_with(kV1Signature)) return ReadV1(text);
  if (text.starts_with(kV2Signature)) return ReadV2(text);
  if (kV1Signature.starts_with(text) || kV2Signature.starts_with(text)) return ProxyHeader();
  return Malformed("unknown signature");
}

}  // namespace pgweir::wire
