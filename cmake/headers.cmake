# Every header compiles alone: one generated source per header, which includes it twice (that finds a missing
# `#pragma once` too). The target `check_headers` builds them all; tests/CMakeLists.txt runs it as a test.
#
# Public headers see the public include directory only, so that one which leans on an internal header fails
# here before it fails at a user's. For internal ones the standard library's headers are precompiled, which saves most of
# the time: that one of those is missing is found for public headers only. And internal ones with a source of the same name are
# left out: the source includes its header first.

# Adds object library `target` with one source for each of `headers`, as included from `base`. `opening` and
# `closing` are the delimiters of the #include.
function(tandem_add_header_check target base opening closing)
  set(sources)
  foreach(header IN LISTS ARGN)
    file(RELATIVE_PATH name "${base}" "${header}")
    string(REPLACE "/" "." flat_name "${name}")
    set(source "${PROJECT_BINARY_DIR}/header_checks/${target}/${flat_name}.cpp")
    set(line "#include ${opening}${name}${closing}\n")
    file(CONFIGURE OUTPUT "${source}" CONTENT "${line}${line}" @ONLY)
    list(APPEND sources "${source}")
  endforeach()
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${sources})
  target_compile_options(${target} PRIVATE -O0 -g0 -Werror)  # only whether they compile is of interest
  target_compile_definitions(${target} PRIVATE $<$<BOOL:${TANDEM_DEBUG_CHECKS}>:TANDEM_DEBUG_CHECKS=1>)
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
  add_dependencies(check_headers ${target})
endfunction()

add_custom_target(check_headers)

if(TANDEM_PUBLIC_HEADERS)
  tandem_add_header_check(check_public_headers "${PROJECT_SOURCE_DIR}/runtime/include" "<" ">"
                          ${TANDEM_PUBLIC_HEADERS})
  target_link_libraries(check_public_headers PRIVATE tandem_compile_options)
  target_include_directories(check_public_headers PRIVATE "${PROJECT_SOURCE_DIR}/runtime/include")
  # A user may compile with more warnings, and without the compiler's extensions to the language.
  target_compile_options(check_public_headers PRIVATE -Wshadow)
  set_target_properties(check_public_headers PROPERTIES CXX_STANDARD 20 CXX_EXTENSIONS OFF)
endif()

set(internal_headers)
foreach(layer IN LISTS TANDEM_LAYERS)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${TANDEM_LAYER_DIRECTORY_${layer}}/*.h")
  foreach(header IN LISTS headers)
    string(REGEX REPLACE "\\.h$" ".cpp" source "${header}")
    if(NOT EXISTS "${source}")
      list(APPEND internal_headers "${header}")
    endif()
  endforeach()
endforeach()
if(internal_headers)
  tandem_add_header_check(check_internal_headers "${PROJECT_SOURCE_DIR}" "\"" "\"" ${internal_headers})
  target_link_libraries(check_internal_headers PRIVATE tandem_library_options tandem_layer_usage)
  tandem_precompile(check_internal_headers ${TANDEM_STANDARD_HEADERS})
endif()
