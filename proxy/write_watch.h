#pragma once

#include <vector>

#include "proxy/node_catalog.h"
#include "proxy/planners.h"
#include "proxy/request_contents.h"
#include "query-cache/query_cache.h"
#include "wire/reply_tracker.h"

namespace pgweir::proxy {

// What a session's requests write, told to the query cache before the server can have committed it
// and until its client is told of that. For the session's thread.
class WriteWatch {
 public:
  // Where the requests go: the server's database, what is known of it, and the map by whose symbols
  // tables are divided; null = none are.
  struct Place {
    cache::DatabaseId database;
    NodeCatalogRef catalog;
    router::ShardMapRef map;
  };

  WriteWatch(cache::QueryCache& cache, Planners& planners) : cache_(cache), planners_(planners) {}
  WriteWatch(const WriteWatch&) = delete;
  WriteWatch& operator=(const WriteWatch&) = delete;
  // A connection that was lost may have committed before that.
  ~WriteWatch();

  void set_place(Place place) { place_ = std::move(place); }

  // This request, or part of one, is going to be sent.
  void Sending(const RequestContents& request, const ReadingContext& context,
               const wire::ReplyTracker& tracker);
  // The server is ready for the next: outside a transaction everything is over.
  void Ready(const wire::ReplyTracker& tracker);
  // Something is being written that nobody can look into. Ends with Ready or Over.
  void WriteUnknown();
  void Over();

 private:
  cache::Extent ExtentOf(const RequestStatement& statement, const ReadingContext& context);
  void Begin();

  cache::QueryCache& cache_;
  Planners& planners_;
  Place place_;
  cache::Extent noted_;  // of the transaction that is open, and begun nowhere yet
  bool has_noted_ = false;
  cache::Writing writing_;
  std::vector<cache::Writing> earlier_;
  bool under_way_ = false;
  bool changes_catalog_ = false;  // what is under way may, so that nobody knows it for a while
};

}  // namespace pgweir::proxy
