#pragma once

#include <string_view>

// What can be told of a statement by its first words alone, without parsing it. Every doubt is
// answered "no".

namespace pgweir::wire {

// The whole text is one statement that does nothing if it is done twice on fresh connections:
// BEGIN, START TRANSACTION, SHOW name, SELECT of a plain number, or nothing at all.
bool MayBeSentAgain(std::string_view sql);

// The text ends a transaction by making it last, or prepares to: when its answer is lost, nobody
// knows whether it did. `sql` may be cut; a COMMIT anywhere in it counts.
bool MayCommit(std::string_view sql);

}  // namespace pgweir::wire
