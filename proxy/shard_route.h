#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "proxy/request_contents.h"
#include "router/hints.h"
#include "router/planner.h"

namespace pgweir::proxy {

// Which nodes of a sharded database a request goes to.
struct ShardRoute {
  enum class Where : uint8_t {
    kAnywhere,    // it is the same on each node
    kNode,        // to `node`
    kConcat,      // to `nodes`, whose rows one after the other are the answer
    kEverywhere,  // to `nodes`, all together
    kRefused,     // nowhere, by `refusal`
  };
  Where where = Where::kAnywhere;
  router::NodeId node = 0;
  router::NodeSet nodes;
  router::PatternId pattern = router::kNoPattern;  // that led there, of several the first
  std::string symbol;                              // that it is about; "" = none, or several
  Status refusal;

  // It did nothing that another node would not have done as well, so that its transaction may still
  // go on elsewhere, once `again`, SQL, has been carried out there.
  bool movable = true;
  std::string again;
  bool reads = false;  // a replicated table

  // What it leaves to sequences, in the order in which it is carried out.
  struct Draw {
    router::DrawnNumbersRef drawn;
    size_t statement = 0;  // of a text, which one
  };
  std::vector<Draw> draws;

  // As new, with the memory that it has.
  void Reset();
};

// What a transaction or session has said about where its statements go: pgweir.shard and
// pgweir.symbol.
struct ShardWishes {
  router::Hints hints;
  Status fault;  // what was wrong with one
  bool empty() const { return hints.empty() && fault.ok(); }
};
ShardWishes WishesOf(const wire::Parameters& settings);
// What the request sets of them itself, from its statements on.
void NoteWishes(const RequestContents& request, const ReadingContext& context, ShardWishes& wishes);

// Makes `route` that of the request. For the worker's thread.
void RouteToShards(const RequestContents& request, const ReadingContext& context,
                   const ShardWishes& wishes, router::Planner& planner, ShardRoute& route);

}  // namespace pgweir::proxy
