#pragma once

#include <filesystem>
#include <map>

#include "config/config.h"
#include "config/table_reader.h"

// One function a table of pgweir.toml. Each takes the reader of its table, puts what is wrong into
// the reader's Faults, and leaves defaults where a key is absent or wrong.

namespace pgweir::config {

// `path` made absolute; "" stays.
std::string Anchored(const std::string& path, const std::filesystem::path& folder);
// The path that a key gives, absolute; "" when it gives none.
std::string ReadPath(TableReader& reader, std::string_view key,
                     const std::filesystem::path& folder);
// A statement's digest, as it is shown; none without the key.
std::optional<uint64_t> ReadDigest(TableReader& reader, std::string_view key);

// `folder` is where relative paths start.
void ReadListen(TableReader reader, const std::filesystem::path& folder, Listen& listen,
                int& peer_id);
void ReadPeers(TableReader reader, std::map<int, Peer>& peers);
// Also adds the faults of the files that it names to `faults`. `listen` has been read.
void ReadAuth(TableReader reader, const std::filesystem::path& folder, const Listen& listen,
              Faults& faults, Auth& auth);
void ReadAdmin(TableReader reader, const std::filesystem::path& folder, Admin& admin);
void ReadLog(TableReader reader, const std::filesystem::path& folder, Log& log);
void ReadProcess(TableReader reader, const std::filesystem::path& folder, Process& process);

void ReadPool(TableReader reader, Pool& pool);
void ReadCache(TableReader reader, Cache& cache);
void ReadSlowLog(TableReader reader, const std::filesystem::path& folder, SlowLog& slow_log);
void ReadTraces(TableReader reader, Traces& traces);
// The databases' pools start from `config`'s.
void ReadDatabases(TableReader reader, const std::filesystem::path& folder, Config& config);
// Where one database lies: its nodes, how they share it, which of their servers it may be read
// from. Also adds the faults of the shard map's file to those of the reader.
void ReadNodes(TableReader& reader, const std::filesystem::path& folder, Database& database);
// The users' pools have to suit each of `config`'s databases.
void ReadUsers(TableReader reader, Config& config);

}  // namespace pgweir::config
