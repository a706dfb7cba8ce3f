// Preloaded into a program, counts what its workers ask of the allocator: threads whose names begin
// with "worker-". The sum stands in the file that PGWEIR_COUNTED_ALLOCATIONS names.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" {
// glibc's own, which its malloc and so on are other names for.
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
}

namespace {

using Sum = std::atomic<uint64_t>;

Sum* sum = nullptr;
thread_local bool is_worker = false;

// A thread gets its name after it has begun, perhaps.
bool IsWorker() {
  if (is_worker) return true;
  char name[16] = {};
  prctl(PR_GET_NAME, name);
  return is_worker = std::string_view(name).starts_with("worker-");
}

void Count() {
  if (sum != nullptr && IsWorker()) sum->fetch_add(1, std::memory_order_relaxed);
}

__attribute__((constructor)) void MapSum() {
  const char* const path = std::getenv("PGWEIR_COUNTED_ALLOCATIONS");
  if (path == nullptr) return;
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(Sum)) != 0) return;
  void* const at = mmap(nullptr, sizeof(Sum), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) sum = static_cast<Sum*>(at);
  close(fd);
}

}  // namespace

extern "C" {

void* malloc(size_t size) {
  Count();
  return __libc_malloc(size);
}

void* calloc(size_t count, size_t size) {
  Count();
  return __libc_calloc(count, size);
}

void* realloc(void* memory, size_t size) {
  Count();
  return __libc_realloc(memory, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  Count();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** out, size_t alignment, size_t size) {
  Count();
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}
}
