#include "router/parse_tree.h"

#include <cstddef>
#include <memory>
#include <vector>

#include <pg_query.h>
#include "router/big_stack.h"

namespace pgweir::router {
namespace {

// What unpacking takes, freed all at once: a tree has thousands of small parts.
class Arena {
 public:
  Arena() : allocator_{&Arena::Allocate, &Arena::Free, this} {}
  ProtobufCAllocator* allocator() { return &allocator_; }

 private:
  static constexpr size_t kBlock = size_t{64} << 10;

  static void* Allocate(void* self, size_t size) { return static_cast<Arena*>(self)->Take(size); }
  static void Free(void*, void*) {}

  void* Take(size_t size) {
    size = (size + alignof(std::max_align_t) - 1) & ~(alignof(std::max_align_t) - 1);
    if (size > left_) {
      const size_t block = size > kBlock ? size : kBlock;
      blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(block));
      next_ = blocks_.back().get();
      left_ = block;
    }
    std::byte* const taken = next_;
    next_ += size;
    left_ -= size;
    return taken;
  }

  ProtobufCAllocator allocator_;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::byte* next_ = nullptr;
  size_t left_ = 0;
};

std::string Visit(const char* sql, absl::FunctionRef<void(const PgQuery__ParseResult&)> visit) {
  const PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(sql);
  std::string fault;
  if (parsed.error != nullptr) {
    fault = parsed.error->message;
  } else {
    Arena arena;
    const PgQuery__ParseResult* const tree =
        pg_query__parse_result__unpack(arena.allocator(), parsed.parse_tree.len,
                                       reinterpret_cast<const uint8_t*>(parsed.parse_tree.data));
    if (tree != nullptr) {
      visit(*tree);
    } else {
      fault = "the parse tree can't be read";
    }
  }
  pg_query_free_protobuf_parse_result(parsed);
  return fault;
}

}  // namespace

std::string WithParseTree(std::string_view sql,
                          absl::FunctionRef<void(const PgQuery__ParseResult&)> visit) {
  const std::string text(sql);
  std::string fault;
  OnBigStack([&] { fault = Visit(text.c_str(), visit); });
  return fault;
}

}  // namespace pgweir::router
