#pragma once

#include <functional>
#include <string>

#include "config/http_url.h"
#include "observe/span_exporter.h"

namespace pgweir::proxy {

// Posts a JSON body by a connection of its own, and blocks until there is an answer or `over`
// becomes true, at which it looks every few milliseconds (Boost.Beast). Only a host's name may take
// longer to be found. Any thread.
observe::SpanExporter::Answer PostJson(const config::HttpUrl& url, const std::string& body,
                                       const std::function<bool()>& over);

}  // namespace pgweir::proxy
