#pragma once

#include <cstdlib>
#include <optional>
#include <random>
#include <string>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/twin_generator.h"
#include "tests/support/twin_runner.h"

namespace pgweir::test {

// Few backends for all clients, one or three; further ones only while all of them are held, so that
// a script never comes to wait for itself.
inline std::string TwinPool(uint64_t seed) {
  return fmt::format("mode = \"transaction\"\nsize = {}\noverflow = {}", seed % 2 == 0 ? 1 : 3,
                     2 * kTwinClients);
}

// $PGWEIR_TWIN_SEED to see a script again, else a new one.
inline uint64_t TwinFreshSeed() {
  const char* given = std::getenv("PGWEIR_TWIN_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

// A failure shows the shortest script found that is answered otherwise.
inline void ExpectTwin(TwinRunner& runner, uint64_t seed, size_t steps,
                       const std::optional<std::string>& pool) {
  TwinScript script = TwinGenerator(seed, TwinChoice::FromEnvironment()).Make(steps);
  std::optional<TwinDifference> difference = runner.Compare(script, pool);
  if (!difference) return;
  script.resize(difference->step + 1);
  script.back().with_next = false;
  TwinScript shortest = runner.Shrink(script, pool, std::chrono::seconds(60));
  std::optional<TwinDifference> shown = runner.Compare(shortest, pool);
  if (!shown) shown = difference, shortest = script;  // it depends on the moment
  ADD_FAILURE() << fmt::format(
      "PGWEIR_TWIN_SEED={} ({} steps), pool: {}\n{}-> the last of step {} is answered\n"
      "  directly:\n{}  through pgweir:\n{}",
      seed, steps, pool.value_or("none"), ShowScript(shortest), shown->step + 1, shown->direct,
      shown->through);
}

}  // namespace pgweir::test
