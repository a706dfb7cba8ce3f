#pragma once

#include <cstdio>
#include <cstdlib>

// For what cannot happen whatever a peer, a file or a clock does: ends the process.
#define PGWEIR_CHECK(condition)                                                          \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
