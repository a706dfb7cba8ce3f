#include "proxy/bound_parameters.h"

#include "router/statement_cache.h"
#include "wire/byte_reader.h"

namespace pgweir::proxy {

BoundParameters ReadParameters(std::string_view values, std::string_view types) {
  if (values.empty()) return {};
  wire::ByteReader reader(wire::AsBytes(values));
  wire::ByteReader declared(wire::AsBytes(types));
  const size_t formats = reader.Int16().value_or(0);
  wire::ByteReader format_codes(wire::AsBytes(reader.Take(formats * 2).value_or("")));
  const size_t count = reader.Int16().value_or(0);
  size_t types_left = declared.Int16().value_or(0);
  BoundParameters parameters;
  uint16_t format = 0;
  for (size_t i = 0; i < count; ++i) {
    if (formats == 1 ? i == 0 : i < formats) format = format_codes.Int16().value_or(0);
    router::BoundParameter parameter;
    if (types_left > 0) {
      parameter.type = declared.Int32().value_or(0);
      --types_left;
    }
    parameter.binary = format != 0;
    const auto length = reader.Int32();
    if (!length.has_value()) break;
    parameter.null = *length == UINT32_MAX;
    const auto bytes = parameter.null ? std::string_view() : reader.Take(*length);
    if (!bytes.has_value()) break;
    parameter.bytes = *bytes;
    parameters.push_back(parameter);
  }
  return parameters;
}

std::string_view ValuesOf(std::string_view values) {
  wire::ByteReader reader(wire::AsBytes(values));
  reader.Take(reader.Int16().value_or(0) * size_t{2});
  for (size_t left = reader.Int16().value_or(0); left > 0; --left) {
    const uint32_t length = reader.Int32().value_or(0);
    if (length != UINT32_MAX) reader.Take(length);
  }
  return values.substr(0, values.size() - reader.rest().size());
}

std::vector<router::TouchedSymbols> SymbolsOf(const RequestStatement& statement, size_t index,
                                              const ReadingContext& context,
                                              router::Planner& planner) {
  const router::SqlScan& scan =
      context.statements.ScanOf(statement.text, context.settings.standard_strings());
  const BoundParameters parameters = ReadParameters(statement.values, statement.types);
  const router::BoundValues values(statement.text, scan.literals(), parameters,
                                   context.settings.utf8());
  return planner.SymbolsOf(statement.facts, index, values);
}

}  // namespace pgweir::proxy
