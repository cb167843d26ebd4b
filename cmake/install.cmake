# Installation of the library, its public headers and the package that find_package(tandem) reads.
include(CMakePackageConfigHelpers)
set(package_directory "${CMAKE_INSTALL_LIBDIR}/cmake/tandem")

install(TARGETS tandem tandem_automatic_safepoints EXPORT tandem_targets COMPONENT tandem_development
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT tandem_targets NAMESPACE tandem:: FILE tandem-targets.cmake
        DESTINATION "${package_directory}" COMPONENT tandem_development)

install(FILES tools/gdb/tandem.py DESTINATION "${CMAKE_INSTALL_DATADIR}/tandem/gdb" COMPONENT tandem_development)

configure_package_config_file(cmake/tandem-config.cmake.in "${PROJECT_BINARY_DIR}/tandem-config.cmake"
                              INSTALL_DESTINATION "${package_directory}")
# 0.x: a minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/tandem-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/tandem-config.cmake" "${PROJECT_BINARY_DIR}/tandem-config-version.cmake"
        DESTINATION "${package_directory}" COMPONENT tandem_development)
