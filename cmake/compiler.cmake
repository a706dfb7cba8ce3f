# One compiler policy for every target.

# GCC 12 miscompiles temporaries in expressions that contain co_await: double frees, at any optimisation level.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR
    "GCC ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines; pgweir needs clang 19 (or GCC 13).\n"
    "Install it with:  apt-get install --no-install-recommends clang-19\n"
    "then configure with a preset (cmake --preset release), in a fresh build folder.")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(PGWEIR_CCACHE ccache)
if(PGWEIR_CCACHE)
  # Without the first two words ccache keeps nothing that was compiled behind a precompiled header; compilers'
  # messages may be in another language than they would be.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,locale ${PGWEIR_CCACHE})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wthread-safety)
endif()

set(PGWEIR_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined")
if(PGWEIR_SANITIZE)
  add_compile_options(-fsanitize=${PGWEIR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PGWEIR_SANITIZE})
endif()
