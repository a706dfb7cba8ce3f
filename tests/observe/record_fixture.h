#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "observe/statement_record.h"

namespace pgweir::observe {

// A statement that took 1.234567 s, 0.9 s of it in the queue, and finished at
// 2026-09-01 10:00:00.123 UTC.
struct ExampleStatement {
  ExampleStatement() {
    using std::chrono::milliseconds;
    client.database = "shop";
    client.user = "alice";
    client.application_name = "web";
    client.address = "10.0.0.5";
    client.port = 54321;
    client.pid = 101;
    client.connected = WallTime(milliseconds(1788256740000));
    record.client = &client;
    record.finished = WallTime(milliseconds(1788256800123));
    record.times.total_us = 1234567;
    record.times.wait_us = 900100;
    record.times.backend_us = 330200;
    record.times.transfer_us = 4200;
    record.text = "SELECT 1";
    record.digest_text = "select $1";
    record.digest = 0x00ab;
    record.tag = "SELECT 1";
    record.number = 7;
    record.nodes = nodes;
    record.shards = {4};
    record.role = NodeRole::kReplica;
    record.backend_pid = 4711;
    record.cache = CacheOutcome::kMiss;
    record.rows = 5;
    record.bytes = 300;
    record.retries = 1;
    record.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  }
  ExampleStatement(const ExampleStatement&) = delete;
  ExampleStatement& operator=(const ExampleStatement&) = delete;

  ClientFacts client;
  std::vector<std::string_view> nodes = {"db_shard_3"};
  StatementRecord record;
};

}  // namespace pgweir::observe
