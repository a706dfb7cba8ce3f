# pgweir_room(NAME LINKS lib...): the static library of the room in the current folder, with every .cc in it
# and below it.
function(pgweir_room NAME)
  cmake_parse_arguments(ROOM "" "" "LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  add_library(pgweir_${NAME} STATIC ${sources})
  target_include_directories(pgweir_${NAME} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(pgweir_${NAME} PUBLIC ${ROOM_LINKS})
endfunction()
