# Packages of the npm registry: single files that are built in, pinned by version and by hash.
find_program(PGWEIR_NODE NAMES node nodejs REQUIRED)
find_program(PGWEIR_NPM NAMES npm REQUIRED)

# pgweir_npm_package(NAME VERSION INTEGRITY): unpacked into ${CMAKE_BINARY_DIR}/npm/NAME when
# something depends on ${CMAKE_BINARY_DIR}/npm/NAME/package.json. INTEGRITY is the registry's
# "sha512-...".
function(pgweir_npm_package NAME VERSION INTEGRITY)
  set(folder ${CMAKE_BINARY_DIR}/npm/${NAME})
  set(script ${PROJECT_SOURCE_DIR}/cmake/fetch_npm_package.mjs)
  add_custom_command(OUTPUT ${folder}/package.json
    COMMAND ${PGWEIR_NODE} ${script} ${PGWEIR_NPM} ${NAME}@${VERSION} ${INTEGRITY} ${folder}
    DEPENDS ${script} ${CMAKE_CURRENT_LIST_FILE} VERBATIM
    COMMENT "Fetching ${NAME} ${VERSION}")
endfunction()
