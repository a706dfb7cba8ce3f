#include "query-cache/entry.h"

#include "query-cache/s3_fifo.h"

namespace pgweir::cache {
namespace {

size_t HeapBytes(const std::string& text) {
  const size_t within = std::string().capacity();
  return text.capacity() <= within ? 0 : AllocationBytes(text.capacity() + 1);
}

}  // namespace

EntryRef Seal(Entry entry) {
  for (std::string* text : {&entry.key, &entry.rows, &entry.row_description, &entry.tag}) {
    text->shrink_to_fit();
  }
  entry.tables.shrink_to_fit();
  constexpr size_t kReferenceCounts = 16;
  entry.bytes = AllocationBytes(sizeof(Entry) + kReferenceCounts) + S3Fifo::kBytesPerEntry +
                HeapBytes(entry.key) + HeapBytes(entry.rows) + HeapBytes(entry.row_description) +
                HeapBytes(entry.tag) + AllocationBytes(entry.tables.capacity() * sizeof(TableId)) +
                AllocationBytes(entry.reading.heap_bytes());
  return std::make_shared<const Entry>(std::move(entry));
}

}  // namespace pgweir::cache
