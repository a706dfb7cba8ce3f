#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "observe/statement_record.h"

namespace pgweir::observe {

// Whether whoever began the trace has it recorded: the `sampled` flag of W3C's Trace Context.
bool IsSampled(std::string_view traceparent);

// Writes statements as spans, each a line: an object of OTLP's JSON (OpenTelemetry Protocol
// Specification, "JSON Protobuf Encoding"). The first is the statement's, below the client's span
// if the record has a traceparent. Below it are the parts that took time: queue, server, transfer,
// and cache in place of the first two where that has answered. Attributes are named as
// OpenTelemetry's semantic conventions for databases have it.
//
// No value of a statement's is in them: the text is the digest's, and there is none of a statement
// that may hold a secret; of an error there is the SQLSTATE.
//
// For one thread. The buffers are kept: once warm nothing is allocated.
class StatementSpans {
 public:
  static constexpr size_t kMaxText = 2048;  // bytes of the digest's text
  static constexpr size_t kMaxName = 64;    // likewise in the span's name

  StatementSpans();

  // Valid until the next call.
  std::string_view Write(const StatementRecord& record);

 private:
  void WriteStatement(const StatementRecord& record);
  // What took `micros`, from so many after the statement's beginning on.
  void WritePart(std::string_view name, uint64_t from_us, uint64_t micros, bool server = false);

  void Begin(uint64_t id, std::string_view parent, int kind);
  void AddTimes(WallTime begin, WallTime end);
  void AddDatabase();
  void AddText(std::string_view key, std::string_view value);
  void AddShards(const StatementRecord& record);
  void Key(std::string_view key);

  std::mt19937_64 random_;
  std::string lines_;
  // Of the statement that is being written:
  std::string trace_, span_;  // ids, in hexadecimal digits
  std::string_view database_;
  WallTime began_;
};

}  // namespace pgweir::observe
