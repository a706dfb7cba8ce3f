#include "router/big_stack.h"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "base/check.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PGWEIR_ASAN_FIBERS
#include <sanitizer/common_interface_defs.h>
#elif __has_feature(thread_sanitizer)
#define PGWEIR_TSAN_FIBERS
#include <sanitizer/tsan_interface.h>
#endif
#endif

#if defined(__clang__)
// Of functions that begin on one of ThreadSanitizer's fibers and end on another.
#define PGWEIR_UNINSTRUMENTED __attribute__((disable_sanitizer_instrumentation))
#else
#define PGWEIR_UNINSTRUMENTED
#endif

namespace pgweir::router {
namespace {

// What stays mapped between uses: enough for ordinary statements.
constexpr size_t kKept = size_t{256} << 10;

// One thread's stack: reserved address space, of which only pages that were touched are memory, and
// below it a page that no access survives. The context that runs on it is made anew each time.
class BigStack {
 public:
  BigStack();
  ~BigStack();
  BigStack(const BigStack&) = delete;
  BigStack& operator=(const BigStack&) = delete;

  void Run(absl::FunctionRef<void()> work);
  void Release() { madvise(bottom(), kBigStack - kKept, MADV_DONTNEED); }

 private:
  PGWEIR_UNINSTRUMENTED static void Enter(uint32_t high, uint32_t low);
  PGWEIR_UNINSTRUMENTED void Work();
  char* bottom() const { return mapping_ + guard_; }

  size_t guard_;
  char* mapping_;
  ucontext_t caller_;
  ucontext_t callee_;
  const absl::FunctionRef<void()>* work_ = nullptr;
#if defined(PGWEIR_ASAN_FIBERS)
  void* caller_fake_ = nullptr;
  const void* caller_bottom_ = nullptr;
  size_t caller_size_ = 0;
#elif defined(PGWEIR_TSAN_FIBERS)
  void* caller_fiber_ = nullptr;
  void* fiber_ = __tsan_create_fiber(0);
#endif
};

BigStack::BigStack() : guard_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
  void* const mapping = mmap(nullptr, guard_ + kBigStack, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  PGWEIR_CHECK(mapping != MAP_FAILED);
  mapping_ = static_cast<char*>(mapping);
  PGWEIR_CHECK(mprotect(mapping_, guard_, PROT_NONE) == 0);
}

BigStack::~BigStack() {
#if defined(PGWEIR_TSAN_FIBERS)
  __tsan_destroy_fiber(fiber_);
#endif
  munmap(mapping_, guard_ + kBigStack);
}

void BigStack::Run(absl::FunctionRef<void()> work) {
  PGWEIR_CHECK(work_ == nullptr);
  work_ = &work;
  PGWEIR_CHECK(getcontext(&callee_) == 0);
  callee_.uc_stack.ss_sp = bottom();
  callee_.uc_stack.ss_size = kBigStack;
  callee_.uc_link = &caller_;
  // makecontext passes ints only.
  const auto self = reinterpret_cast<uintptr_t>(this);
  makecontext(&callee_, reinterpret_cast<void (*)()>(&BigStack::Enter), 2,
              static_cast<uint32_t>(self >> 32), static_cast<uint32_t>(self));
#if defined(PGWEIR_ASAN_FIBERS)
  __sanitizer_start_switch_fiber(&caller_fake_, bottom(), kBigStack);
#elif defined(PGWEIR_TSAN_FIBERS)
  caller_fiber_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(fiber_, 0);
#endif
  PGWEIR_CHECK(swapcontext(&caller_, &callee_) == 0);
#if defined(PGWEIR_ASAN_FIBERS)
  __sanitizer_finish_switch_fiber(caller_fake_, nullptr, nullptr);
#endif
  work_ = nullptr;
}

void BigStack::Enter(uint32_t high, uint32_t low) {
  const uintptr_t self = (static_cast<uintptr_t>(high) << 32) | low;
  reinterpret_cast<BigStack*>(self)->Work();
}

void BigStack::Work() {
#if defined(PGWEIR_ASAN_FIBERS)
  __sanitizer_finish_switch_fiber(nullptr, &caller_bottom_, &caller_size_);
#endif
  (*work_)();
#if defined(PGWEIR_ASAN_FIBERS)
  __sanitizer_start_switch_fiber(nullptr, caller_bottom_, caller_size_);
#elif defined(PGWEIR_TSAN_FIBERS)
  __tsan_switch_to_fiber(caller_fiber_, 0);
#endif
}

BigStack& ThisThreads() {
  thread_local BigStack stack;
  return stack;
}

}  // namespace

void OnBigStack(absl::FunctionRef<void()> work) { ThisThreads().Run(work); }

void ReleaseBigStack() { ThisThreads().Release(); }

}  // namespace pgweir::router
