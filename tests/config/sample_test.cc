#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

#include "config/loader.h"

// The sample files that ship, and the reference in docs/, against what the loader reads.

namespace pgweir::config {
namespace {

std::string Root() { return PGWEIR_SOURCE_FOLDER; }

std::string Read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

// A line of one of the reference's tables of keys.
struct Documented {
  std::string table;  // "databases.NAME", "cache.rules"
  std::string key;
  std::string standard;  // in TOML; "" = none
};

std::vector<Documented> ReadReference() {
  const std::regex heading(R"(## `\[{1,2}(.*?)\]{1,2}`)");
  const std::regex row(R"(\| `([a-z_]+)` \| [^|]* \| ([^|]*) \|.*)");
  std::vector<Documented> keys;
  std::istringstream in(Read(Root() + "/docs/configuration.md"));
  std::string table;
  bool of_keys = false;  // not of something else
  std::smatch match;
  for (std::string line; std::getline(in, line);) {
    if (line.substr(0, 3) == "## ")
      table = std::regex_match(line, match, heading) ? match[1].str() : "";
    if (line.empty() || line[0] != '|') of_keys = false;
    if (line.find("| key |") == 0) of_keys = true;
    if (!of_keys || table.empty() || !std::regex_match(line, match, row)) continue;
    std::string standard = match[2];
    if (standard.substr(0, 4) == "none") standard.clear();
    std::erase(standard, '`');
    keys.push_back({table, match[1], standard});
  }
  return keys;
}

// Keys for a value of a name that the DBA chooses, as the reference puts them.
std::string AsDocumented(std::string key) {
  for (const auto& [from, to] :
       {std::pair("databases.NAME.nodes.NODE.", "databases.NAME."),
        std::pair("databases.NAME.pool.", "pool."), std::pair("users.NAME.pool.", "pool."),
        std::pair("peers.1.", "peers.ID.")}) {
    if (key.substr(0, std::string_view(from).size()) == from) {
      return to + key.substr(std::string_view(from).size());
    }
  }
  return key;
}

// Known, but for later versions: the reference has a table of its own for them.
bool IsForLater(const std::string& key) {
  const std::string page = Read(Root() + "/docs/configuration.md");
  const std::string later = page.substr(page.find("## Keys of later versions"));
  const size_t dot = key.rfind('.');
  std::istringstream in(later);
  for (std::string line; std::getline(in, line);) {
    if (line.find("| `[" + key.substr(0, dot) + "]` |") != 0) continue;
    if (line.find("`" + key.substr(dot + 1)) != std::string::npos) return true;
  }
  return false;
}

std::vector<std::string> Without(const std::set<std::string>& all,
                                 const std::set<std::string>& some) {
  std::vector<std::string> left;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(left));
  return left;
}

TEST(Sample, HoldsTheDefaults) {
  const std::string path = Root() + "/config/pgweir.toml";
  const auto loaded = Load(path);
  ASSERT_TRUE(loaded.ok()) << MessageOf(loaded.status());
  const auto nothing =
      Parse("[databases.market]\nprimary = \"host=127.0.0.1 port=5432 dbname=market\"\n", path);
  ASSERT_TRUE(nothing.ok()) << MessageOf(nothing.status());
  EXPECT_TRUE(*loaded == *nothing);
}

TEST(Reference, HasEveryKeyThatTheLoaderKnows) {
  std::set<std::string> documented;
  for (const Documented& key : ReadReference()) documented.insert(key.table + "." + key.key);
  std::set<std::string> known;
  for (const std::string& key : KnownKeys()) {
    const std::string name = AsDocumented(key);
    if (!IsForLater(name)) known.insert(name);
  }
  EXPECT_GT(known.size(), 60u);
  EXPECT_THAT(Without(documented, known), testing::IsEmpty()) << "documented and not known";
  EXPECT_THAT(Without(known, documented), testing::IsEmpty()) << "known and not documented";
}

TEST(Reference, HasTheRightDefaults) {
  const std::string path = Root() + "/config/pgweir.toml";
  const std::string needed = "databases.a.primary = \"host=h\"\npeers.1.host = \"h\"\n";
  const std::string needed_rule = "[[cache.rules]]\ntables = [\"t\"]\n";
  std::string text = needed;
  std::string rule = needed_rule;
  for (const Documented& key : ReadReference()) {
    std::string table = std::regex_replace(key.table, std::regex("NAME(?=$|\\.)"), "a");
    table = std::regex_replace(table, std::regex("ID$"), "1");
    if (key.standard.empty()) continue;
    const std::string value = key.key + " = " + key.standard + "\n";
    if (table == "cache.rules") {
      rule += value;
    } else {
      text += table + "." + value;
    }
  }
  text += rule;
  const auto stated = Parse(text, path);
  ASSERT_TRUE(stated.ok()) << MessageOf(stated.status()) << "\n" << text;
  const auto unstated = Parse(needed + needed_rule, path);
  ASSERT_TRUE(unstated.ok()) << MessageOf(unstated.status());
  EXPECT_TRUE(*stated == *unstated) << text;
}

// Whatever stands behind a comment sign as an example has to load as well.
TEST(Sample, LoadsWithItsExamplesUncommented) {
  const std::string path = Root() + "/config/pgweir.toml";
  const std::string text =
      std::regex_replace(Read(path), std::regex(R"((^|\n)# (\[.*\]|[a-z_]+ = .*)(?=\n))"), "$1$2");
  const auto config = Parse(text, path);
  ASSERT_TRUE(config.ok()) << MessageOf(config.status());
  EXPECT_EQ(config->FindDatabase("market")->pool.size, 20);
  EXPECT_EQ(config->FindDatabase("sharded")->node.name, "db_shard_default");
  EXPECT_EQ(config->users.at("report").mode, PoolMode::kSession);
  EXPECT_EQ(config->peers.at(2).host, "10.0.0.2");
  EXPECT_EQ(config->cache.rules.size(), 3u);
  EXPECT_EQ(config->slow_log.rules.size(), 1u);
}

// Keys of tables with a name of the DBA's choice may stand there as an example only.
TEST(Sample, HasEveryKey) {
  std::set<std::string> keys;
  std::istringstream in(Read(Root() + "/config/pgweir.toml"));
  const std::regex assignment(R"((?:# )?([a-z_]+) += .*)");
  std::smatch match;
  for (std::string line; std::getline(in, line);) {
    if (std::regex_match(line, match, assignment)) keys.insert(match[1]);
  }
  for (const Documented& key : ReadReference()) EXPECT_TRUE(keys.contains(key.key)) << key.key;
}

}  // namespace
}  // namespace pgweir::config
