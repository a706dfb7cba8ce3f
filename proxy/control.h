#pragma once

#include <functional>

#include "absl/functional/any_invocable.h"
#include "base/status.h"
#include "config/config.h"
#include "proxy/shard_map_change.h"
#include "query-cache/entry.h"

namespace pgweir::proxy {

enum class Ending : uint8_t;

// What a console may ask of the process as a whole. Any thread; carried out on the supervisor's, in
// the order asked, where `done` runs too.
class Control {
 public:
  using Done = absl::AnyInvocable<void(Status)>;
  using Edit = absl::AnyInvocable<Status(config::Config&)>;

  // As the signal does.
  virtual void RequestReload(Done done) = 0;
  // Serves with the configuration that `edit` makes of the present one, until the next reload.
  virtual void RequestChange(Edit edit, Done done) = 0;
  // Writes the change into the file of the database's shard map, then reloads.
  virtual void RequestMapChange(ShardMapChange change, Done done) = 0;
  // Takes the answers for which `matches` out of the query cache.
  virtual void RequestFlush(std::function<bool(const cache::Entry&)> matches, Done done) = 0;
  // Nobody new is let in; the rest as Ending says.
  virtual void RequestShutdown(Ending ending) = 0;
  // Whether it has begun.
  virtual bool shutting_down() const = 0;

 protected:
  ~Control() = default;
};

}  // namespace pgweir::proxy
