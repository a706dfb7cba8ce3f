# pgweir_room(NAME LINKS lib...): the static library of the room in the current folder, with every .cc in it
# and below it.
function(pgweir_room NAME)
  cmake_parse_arguments(ROOM "" "" "LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  add_library(pgweir_${NAME} STATIC ${sources})
  target_include_directories(pgweir_${NAME} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(pgweir_${NAME} PUBLIC ${ROOM_LINKS})
  pgweir_optimise(pgweir_${NAME})
  pgweir_precompile(pgweir_${NAME} cmake/precompiled.h)
endfunction()

option(PGWEIR_PRECOMPILE "Precompile the library headers that most files include" ON)

# pgweir_precompile(TARGET HEADER): HEADER, which names only libraries' headers, is compiled once for TARGET and
# comes before each of its files. It saves a third of a build; what a file includes is still checked, without it,
# by scripts/check --all.
function(pgweir_precompile TARGET HEADER)
  if(PGWEIR_PRECOMPILE)
    target_precompile_headers(${TARGET} PRIVATE ${PROJECT_SOURCE_DIR}/${HEADER})
  endif()
endfunction()
