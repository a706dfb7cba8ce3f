#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

namespace pgweir::config {
namespace {

using testing::HasSubstr;

class TracesSection : public ConfigTest {};

TEST_F(TracesSection, IsOffUnlessAsked) {
  const Config config = Good("[traces]\notlp = \"\"");
  EXPECT_EQ(config.traces, Traces());
  EXPECT_FALSE(config.traces.otlp.has_value());
}

TEST_F(TracesSection, ReadsTheKeys) {
  const Config config = Good(R"(
[traces]
otlp = "http://collector.local:4318"
sample = 0.01
service_name = "market"
max_queue_bytes = "1MiB"
)");
  Traces expected;
  expected.otlp = HttpUrl{"collector.local", 4318, "/v1/traces"};
  expected.sample = 0.01;
  expected.service_name = "market";
  expected.max_queue_bytes = uint64_t{1} << 20;
  EXPECT_EQ(config.traces, expected);
}

TEST_F(TracesSection, KnowsUrls) {
  const std::pair<std::string, HttpUrl> cases[] = {
      {"http://10.0.0.5:4318/", {"10.0.0.5", 4318, "/v1/traces"}},
      {"http://[::1]:80/in?key=a:b", {"::1", 80, "/in?key=a:b"}},
      {"http://a_b-c.d:65535/x/", {"a_b-c.d", 65535, "/x/"}},
  };
  for (const auto& [text, url] : cases) {
    EXPECT_EQ(Good("[traces]\notlp = \"" + text + "\"").traces.otlp, url) << text;
  }
  EXPECT_EQ((HttpUrl{"::1", 80, ""}.Authority()), "[::1]:80");
  EXPECT_EQ((HttpUrl{"a", 80, ""}.Authority()), "a:80");
}

TEST_F(TracesSection, SaysWhatIsWrongWithIt) {
  const std::string section = "[traces]\n";
  const std::pair<std::string, std::string> cases[] = {
      {"otlp = \"https://c:4318\"",
       "pgweir.toml:2:8: traces.otlp: must begin with http:// (spans are sent without TLS)"},
      {"oltp = \"\"", "unknown key traces.oltp; did you mean traces.otlp?"},
      {"sample = 1.5", "traces.sample: must be a number from 0.0 to 1.0"},
      {"service_name = \"\"", "traces.service_name: must be a name"},
      {"max_queue_bytes = \"1KiB\"", "traces.max_queue_bytes: must be"},
      {"max_queue_bytes = \"2GiB\"", "traces.max_queue_bytes: must be at most \"1GiB\""},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(Fault(section + text), HasSubstr(message)) << text;
  }
  for (const char* url :
       {"c:4318", "http://", "http://c", "http://c/v1", "http://:4318", "http://c:0",
        "http://c:65536", "http://c:4318x", "http://u:hunter2@c:4318", "http://[::1:4318",
        "http://[c]:4318", "http://::1:4318", "http://c:4318/a b", "http://c:4318/#a",
        "http://c:4318/\\u0007", "http://c c:4318", "grpc://c:4317"}) {
    const std::string fault = Fault(section + "otlp = \"" + url + "\"");
    EXPECT_THAT(fault, HasSubstr("traces.otlp: must be a URL with a port, such as")) << url;
    EXPECT_EQ(fault.find("hunter2"), fault.npos);
  }
}

}  // namespace
}  // namespace pgweir::config
