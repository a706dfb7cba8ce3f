#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/task.h"
#include "net/worker.h"
#include "pooler/pool.h"
#include "proxy/answer_capture.h"
#include "wire/parameters.h"

namespace pgweir::proxy {

// A read that no client waits for: of an answer that is getting old, or is to be compared.
struct UnattendedRead {
  struct Part {
    std::shared_ptr<pooler::Pool> pool;
    std::string request;  // a Query, or a batch of unnamed statements with its Sync
  };
  std::vector<Part> parts;         // one of each node, at least one: their rows follow each other
  wire::ParametersRef parameters;  // of the client that once asked
  size_t max_bytes = 0;            // of the answer
};

// Asks on a backend of each pool, with the client's settings, which it waits for like a client, but
// not for long. On the worker's thread. The capture is complete, or there is no answer.
net::Task<AnswerCapture> ReadUnattended(net::Worker& worker, UnattendedRead read);

// A batch of unnamed statements that asks what a client's request asked; `bind` is what follows
// the names in its Bind.
std::string UnnamedBatch(std::string_view text, std::string_view types, std::string_view bind);

}  // namespace pgweir::proxy
