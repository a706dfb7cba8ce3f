#include "config/sections.h"

namespace pgweir::config {
namespace {

constexpr uint64_t kLeastQueue = uint64_t{64} << 10;
constexpr uint64_t kMaxQueue = uint64_t{1} << 30;
constexpr std::string_view kPath = "/v1/traces";  // OTLP's own

}  // namespace

void ReadTraces(TableReader reader, Traces& traces) {
  if (const std::string url = reader.Text("otlp").value_or(""); !url.empty()) {
    traces.otlp = HttpUrl::Parse(url);
    if (url.starts_with("https:")) {
      reader.Fault("otlp", "must begin with http:// (spans are sent without TLS)");
    } else if (!traces.otlp.has_value()) {
      reader.Fault("otlp", "must be a URL with a port, such as \"http://127.0.0.1:4318\"");
    } else if (traces.otlp->target.empty() || traces.otlp->target == "/") {
      traces.otlp->target = kPath;
    }
  }
  traces.sample = reader.Share("sample").value_or(traces.sample);
  traces.service_name = reader.Text("service_name").value_or(traces.service_name);
  if (traces.service_name.empty()) reader.Fault("service_name", "must be a name");
  traces.max_queue_bytes =
      reader.Size("max_queue_bytes", kLeastQueue).value_or(traces.max_queue_bytes);
  if (traces.max_queue_bytes > kMaxQueue) {
    reader.Fault("max_queue_bytes", "must be at most \"1GiB\"");
  }
  reader.RejectUnknown();
}

}  // namespace pgweir::config
