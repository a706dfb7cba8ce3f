#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/oracle_script.h"
#include "tests/support/pq.h"

namespace pgweir::test {

struct OracleDifference {
  size_t unit = 0;
  size_t step = 0;
  std::string what;
};

// How often statements of a kind were answered alike, and refused with 0A000.
struct OracleCount {
  int answered = 0;
  int failed = 0;  // of those answered, with the same error
  int refused = 0;
  int decided = 0;  // of all of them
};
using OracleTally = std::map<std::string, OracleCount>;

// Where the rows are: connection strings.
struct OraclePlaces {
  std::string whole;    // a database that has them all
  std::string through;  // pgweir
  struct Node {
    std::string conninfo;
    std::string owns;  // a condition on a row's symbol
  };
  std::vector<Node> nodes;
};

// Carries scripts out on both sides in lock step.
class OracleRunner {
 public:
  explicit OracleRunner(OraclePlaces places);

  // From the same rows each time. Counts into `tally` unless that is null.
  std::optional<OracleDifference> Run(const OracleScript& script, OracleTally* tally);

  // A script as short as is found within the time in which there is still a difference.
  OracleScript Shrink(OracleScript script, std::chrono::seconds at_most);

 private:
  struct Node {
    Connection connection;
    std::string owns;
  };

  void Fill();
  // What is different about the step's answers; "" = nothing.
  std::string Compare(const OracleStep& step, OracleTally* tally);
  std::string CompareExecution(const OracleStep& step, const std::string& name,
                               const std::vector<OracleValue>* values, OracleCount* count);
  // What nodes hold that isn't theirs, or don't hold that is.
  std::string CompareTables();

  OraclePlaces places_;
  Connection whole_;
  std::vector<Node> nodes_;
  std::unique_ptr<Connection> through_;
  int prepared_ = 0;
};

// Drops units and statements as long as `differs`.
OracleScript ShrinkOracle(OracleScript script,
                          const std::function<bool(const OracleScript&)>& differs,
                          std::chrono::seconds at_most);

}  // namespace pgweir::test
