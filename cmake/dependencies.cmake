# Everything comes from Debian 12; the list of packages is scripts/packages.txt.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(absl REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(Liburing REQUIRED IMPORTED_TARGET liburing)
find_library(PGWEIR_RE2 NAMES re2 REQUIRED)  # Debian's package has no file for CMake
