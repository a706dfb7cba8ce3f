#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "router/node_set.h"
#include "router/shard_map.h"

namespace pgweir::router {

// Where a statement goes.
struct Plan {
  enum class Kind : uint8_t {
    kAnywhere,    // touches no table; any node gives the same answer
    kSingle,      // one node
    kConcat,      // a read: the nodes' rows one after the other are the answer
    kReplicated,  // depends on nothing but what every node has: any node
    kDefault,     // what isn't divided: the node of the pattern "*"
    kEverywhere,  // changes the schema of every node
    kReject,
  };
  enum class Why : uint8_t {
    kNone,
    kSymbols,         // its conditions allow only symbols of these nodes
    kOneNode,         // the map has no more
    kNoSymbol,        // no symbol fits its conditions
    kNoCondition,     // nothing restricts its symbols
    kInserted,        // of the rows inserted
    kUnlisted,        // a table that is not listed
    kSystem,          // a catalog of the system
    kSequence,        // sequences, advisory locks and large objects
    kFunction,        // a function or procedure of the user's, LISTEN, DO …
    kReplicatedOnly,  // replicated tables and nothing else
    kNoTable,
    kSchema,  // the schema of what every node has
  };

  Kind kind = Kind::kReject;
  Why why = Why::kNone;
  NodeId node = 0;                 // of kSingle and kDefault
  NodeSet nodes;                   // where it goes, or may go
  PatternId pattern = kNoPattern;  // of kSingle: that of the first of its symbols
  // Of kSingle: that it is about, as long as the values live; "" = none, or several.
  std::string_view symbol;
  bool writes = false;  // of kSingle and kReplicated: rows of sharded tables
  // Only the default node has all that it names, whatever its symbols are.
  bool elsewhere = false;
  const char* sqlstate = "0A000";  // of kReject, with the next two
  std::string message;
  std::string hint;
};

// What `pgweir route` prints of it, a line each: "node: …", "kind: …", "why: …".
std::string Explain(const Plan& plan, const ShardMap& map);

}  // namespace pgweir::router
