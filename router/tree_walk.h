#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "pg_query/pg_query.pb-c.h"

// Moving about in libpg_query's tree without naming every one of its 240 messages.

namespace pgweir::router {

// What a Node holds, or the message itself when it isn't a Node. Null for null and for an empty
// Node.
const ProtobufCMessage* Unwrap(const ProtobufCMessage* message);

// Calls `visit` for each message that is a part of this one, unwrapped, in the order of the fields.
void ForEachPart(const ProtobufCMessage& message,
                 absl::FunctionRef<void(const ProtobufCMessage&)> visit);

// The message in a node when it is of the given type, else null:
//   As<PgQuery__FuncCall>(node, pg_query__func_call__descriptor)
template <typename Message>
const Message* As(const PgQuery__Node* node, const ProtobufCMessageDescriptor& type) {
  const ProtobufCMessage* const inner = node ? Unwrap(&node->base) : nullptr;
  return inner && inner->descriptor == &type ? reinterpret_cast<const Message*>(inner) : nullptr;
}

// The String in a node, "" when it holds something else.
std::string_view TextOf(const PgQuery__Node* node);

// The Strings in nodes, "" for what is none.
std::vector<std::string> TextsOf(PgQuery__Node* const* nodes, size_t count);

// A dotted name's parts: "a"."b" is {a, b}. Views into the tree. Empty when a part is no name
// (a.*).
std::vector<std::string_view> NameParts(PgQuery__Node* const* nodes, size_t count);

}  // namespace pgweir::router
