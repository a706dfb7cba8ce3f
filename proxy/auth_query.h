#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/task.h"
#include "pooler/pool.h"

namespace pgweir::proxy {

using AuthRow = std::vector<std::optional<std::string>>;

// Runs `sql` on a backend of `pool` with the user's name as its only parameter, within the event's
// deadline. The first row, or none. Whoever waits for it on `event` may have gone meanwhile: the
// backend is given back clean all the same.
net::Task<StatusOr<std::optional<AuthRow>>> RunAuthQuery(std::shared_ptr<pooler::Pool> pool,
                                                         net::Event& event, std::string sql,
                                                         std::string user);

}  // namespace pgweir::proxy
