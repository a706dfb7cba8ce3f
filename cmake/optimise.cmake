# How far the optimiser goes beyond -O2, in the rooms and the binary.

# Objects hold machine code and bitcode: the binary alone is linked from the latter, as a whole (ThinLTO), the tests from
# the former, which is quick.
option(PGWEIR_WHOLE_PROGRAM "Link the binary as a whole" OFF)

# Which paths are hot is measured: by bench/profile, which writes the profile anew. Code that has changed since has none.
set(PGWEIR_PROFILE "" CACHE STRING "use: optimise by cmake/pgweir.profdata; make: build a binary that writes a profile")
set_property(CACHE PGWEIR_PROFILE PROPERTY STRINGS "" use make)

function(pgweir_optimise TARGET)
  if(PGWEIR_WHOLE_PROGRAM)
    target_compile_options(${TARGET} PRIVATE -flto=thin -ffat-lto-objects)
  endif()
  if(PGWEIR_PROFILE STREQUAL "use")
    set(profile ${PROJECT_SOURCE_DIR}/cmake/pgweir.profdata)
    target_compile_options(${TARGET} PRIVATE -fprofile-use=${profile} -Wno-profile-instr-out-of-date
                           -Wno-profile-instr-unprofiled -Wno-backend-plugin)
    get_target_property(sources ${TARGET} SOURCES)
    set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${profile})
  elseif(PGWEIR_PROFILE STREQUAL "make")
    target_compile_options(${TARGET} PRIVATE -fprofile-generate)
  endif()
  get_target_property(type ${TARGET} TYPE)
  if(NOT type STREQUAL "EXECUTABLE")
    return()
  endif()
  if(PGWEIR_WHOLE_PROGRAM)
    target_link_options(${TARGET} PRIVATE -flto=thin -ffat-lto-objects -fuse-ld=lld-19)
  endif()
  if(PGWEIR_PROFILE STREQUAL "make")
    target_link_options(${TARGET} PRIVATE -fprofile-generate)
  endif()
endfunction()
