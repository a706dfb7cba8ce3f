#include "report/measures.h"

namespace pgweir::report {
namespace {

void AddSplit(TimeSplit& to, const TimeSplit& time) {
  to.queue += time.queue;
  to.server += time.server;
  to.transfer += time.transfer;
  to.client += time.client;
  to.total += time.total;
}

}  // namespace

void Measures::Add(const Statement& statement) {
  ++calls;
  errors += statement.failed;
  cached += statement.cached;
  rows += statement.rows;
  bytes += statement.bytes;
  AddSplit(time, statement.time);
  durations.Add(statement.time.total);
}

void Measures::Merge(const Measures& other) {
  calls += other.calls;
  errors += other.errors;
  cached += other.cached;
  rows += other.rows;
  bytes += other.bytes;
  AddSplit(time, other.time);
  durations.Merge(other.durations);
}

}  // namespace pgweir::report
