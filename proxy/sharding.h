#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxy/joint_answer.h"
#include "proxy/numbered_statement.h"
#include "proxy/part_text.h"
#include "proxy/shard_route.h"
#include "router/shard_map.h"

namespace pgweir::proxy {

// What a session on a sharded database knows of the request under way, and of the transaction that
// it is part of.
struct Sharding {
  // Of the transaction, from its first request on.
  struct Transaction {
    ShardWishes wishes;
    std::string again;    // SQL that it has carried out and would carry out again elsewhere
    bool movable = true;  // it has done nothing else yet
    bool reads = false;   // but reads of what is the same everywhere
    // Its BEGIN has been answered and not been sent, because nobody knows yet where to.
    bool held = false;
    bool read_only = false;  // by that BEGIN
  };
  Transaction transaction;

  router::ShardMapRef map;  // by which the request was routed
  uint64_t snapshot = 0;    // the number of the one that it is of
  // Where the request is still to go, the next one last; and the SQL that comes before it there.
  std::vector<router::NodeId> onward;
  std::string request;
  PartText part;  // what it says where it goes now
  std::string first;
  ShardRoute route;      // of the request; its draws are numbers that it needs,
  NumbersGiven numbers;  // and these it has
  JointAnswer joint;
  bool everywhere = false;  // not by way of a backend of the client's
  Status refusal;           // of the request, once its transaction has begun
  std::string database;     // the configuration's entry

  // Another one, of a client with these settings.
  void BeginTransaction(const wire::Parameters& settings);
  // It has done this as well.
  void Note(const ShardRoute& done);
  // Whether its beginning can be done again on another node.
  bool movable() const;
};

}  // namespace pgweir::proxy
