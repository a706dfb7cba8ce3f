#include "tests/support/otlp_request.h"

#include <simdjson.h>

#include <stdexcept>

namespace pgweir::test {
namespace {

std::string ReadText(simdjson::dom::element value) { return std::string(std::string_view(value)); }

std::map<std::string, std::string> ReadAttributes(simdjson::dom::element list) {
  std::map<std::string, std::string> attributes;
  for (const simdjson::dom::element attribute : simdjson::dom::array(list)) {
    const simdjson::dom::object value = attribute["value"];
    if (value.size() != 1) throw std::runtime_error("an attribute without its one value");
    std::string& text = attributes[ReadText(attribute["key"])];
    if (!text.empty()) throw std::runtime_error("an attribute that is there twice");
    simdjson::dom::array values;
    if (value["arrayValue"]["values"].get(values) == simdjson::SUCCESS) {
      for (const simdjson::dom::element one : values) {
        text += (text.empty() ? "" : ",") + ReadText(one["stringValue"]);
      }
    } else {
      simdjson::dom::element one;
      const bool number = value["intValue"].get(one) == simdjson::SUCCESS;
      text = ReadText(number ? one : value["stringValue"].value());
    }
  }
  return attributes;
}

OtlpSpan ReadSpan(simdjson::dom::element span) {
  OtlpSpan read;
  read.trace = ReadText(span["traceId"]);
  read.id = ReadText(span["spanId"]);
  simdjson::dom::element optional;
  if (span["parentSpanId"].get(optional) == simdjson::SUCCESS) read.parent = ReadText(optional);
  read.name = ReadText(span["name"]);
  read.kind = span["kind"];
  read.begin = std::stoull(ReadText(span["startTimeUnixNano"]));
  read.end = std::stoull(ReadText(span["endTimeUnixNano"]));
  read.attributes = ReadAttributes(span["attributes"]);
  if (span["status"].get(optional) == simdjson::SUCCESS) read.status = optional["code"];
  return read;
}

}  // namespace

OtlpSpan ReadOtlpSpan(std::string_view json) {
  simdjson::dom::parser parser;
  return ReadSpan(parser.parse(std::string(json)));
}

OtlpRequest ReadOtlpRequest(std::string_view body) {
  simdjson::dom::parser parser;
  OtlpRequest request;
  for (const simdjson::dom::element part :
       simdjson::dom::array(parser.parse(std::string(body))["resourceSpans"])) {
    request.resource = ReadAttributes(part["resource"]["attributes"]);
    for (const simdjson::dom::element scope : simdjson::dom::array(part["scopeSpans"])) {
      for (const simdjson::dom::element span : simdjson::dom::array(scope["spans"])) {
        request.spans.push_back(ReadSpan(span));
      }
    }
  }
  return request;
}

}  // namespace pgweir::test
