#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace pgweir::router {

// A node's place among those of its database (ShardMap::nodes).
using NodeId = uint16_t;

// Some of a database's nodes. Never allocates.
class NodeSet {
 public:
  static constexpr size_t kMaxNodes = 256;

  static NodeSet Of(NodeId node) {
    NodeSet set;
    set.Add(node);
    return set;
  }
  void Add(NodeId node) { words_[node / 64] |= uint64_t{1} << (node % 64); }
  bool Has(NodeId node) const { return (words_[node / 64] >> (node % 64) & 1) != 0; }
  bool empty() const { return size() == 0; }
  size_t size() const {
    size_t size = 0;
    for (const uint64_t word : words_) size += static_cast<size_t>(std::popcount(word));
    return size;
  }
  // The least node of a set that isn't empty.
  NodeId first() const {
    size_t word = 0;
    while (words_[word] == 0) ++word;
    return static_cast<NodeId>(word * 64 + static_cast<size_t>(std::countr_zero(words_[word])));
  }
  NodeSet& operator|=(const NodeSet& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  NodeSet& operator&=(const NodeSet& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  // Whether each node of this set is in the other.
  bool Within(const NodeSet& other) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      if ((words_[i] & ~other.words_[i]) != 0) return false;
    }
    return true;
  }
  bool operator==(const NodeSet&) const = default;

 private:
  std::array<uint64_t, kMaxNodes / 64> words_{};
};

}  // namespace pgweir::router
