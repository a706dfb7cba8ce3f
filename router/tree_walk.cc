#include "router/tree_walk.h"

#include <cstddef>

namespace pgweir::router {
namespace {

template <typename T>
const T& MemberAt(const ProtobufCMessage& message, size_t offset) {
  return *reinterpret_cast<const T*>(reinterpret_cast<const char*>(&message) + offset);
}

}  // namespace

const ProtobufCMessage* Unwrap(const ProtobufCMessage* message) {
  // Every member of a Node's union is a pointer to a message; a Node holds no Node.
  if (message == nullptr || message->descriptor != &pg_query__node__descriptor) return message;
  const auto* const node = reinterpret_cast<const PgQuery__Node*>(message);
  if (node->node_case == PG_QUERY__NODE__NODE__NOT_SET) return nullptr;
  return MemberAt<const ProtobufCMessage*>(*message, offsetof(PgQuery__Node, alias));
}

void ForEachPart(const ProtobufCMessage& message,
                 absl::FunctionRef<void(const ProtobufCMessage&)> visit) {
  const auto show = [&visit](const ProtobufCMessage* part) {
    part = Unwrap(part);
    if (part != nullptr) visit(*part);
  };
  for (unsigned i = 0; i < message.descriptor->n_fields; ++i) {
    const ProtobufCFieldDescriptor& field = message.descriptor->fields[i];
    if (field.type != PROTOBUF_C_TYPE_MESSAGE) continue;
    if (field.label == PROTOBUF_C_LABEL_REPEATED) {
      const auto count = MemberAt<size_t>(message, field.quantifier_offset);
      auto* const* parts = MemberAt<ProtobufCMessage* const*>(message, field.offset);
      for (size_t part = 0; part < count; ++part) show(parts[part]);
    } else if (field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
      if (MemberAt<uint32_t>(message, field.quantifier_offset) != field.id) continue;
      show(MemberAt<const ProtobufCMessage*>(message, field.offset));
    } else {
      show(MemberAt<const ProtobufCMessage*>(message, field.offset));
    }
  }
}

std::string_view TextOf(const PgQuery__Node* node) {
  const auto* const text = As<PgQuery__String>(node, pg_query__string__descriptor);
  return text ? std::string_view(text->sval) : std::string_view();
}

std::vector<std::string> TextsOf(PgQuery__Node* const* nodes, size_t count) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) texts.emplace_back(TextOf(nodes[i]));
  return texts;
}

std::vector<std::string_view> NameParts(PgQuery__Node* const* nodes, size_t count) {
  std::vector<std::string_view> parts;
  for (size_t i = 0; i < count; ++i) {
    parts.push_back(TextOf(nodes[i]));
    if (parts.back().empty()) return {};
  }
  return parts;
}

}  // namespace pgweir::router
