# The layers of the library, lowest first, each an object library `tandem_<layer>`:
#
#   base < context < seam < { gc, sched, netpoll } < boot
#
# A layer's test links its objects and those below it and nothing else, so that a call into a sibling or
# upwards is an undefined symbol. tools/check_layers.py forbids the same for includes. A source file is found
# by being there.
set(TANDEM_LAYERS base context seam gc sched netpoll boot)

set(TANDEM_LAYER_DIRECTORY_base runtime/base)
set(TANDEM_LAYER_DIRECTORY_context runtime/context)
set(TANDEM_LAYER_DIRECTORY_seam runtime/seam)
set(TANDEM_LAYER_DIRECTORY_gc gc)
set(TANDEM_LAYER_DIRECTORY_sched sched)
set(TANDEM_LAYER_DIRECTORY_netpoll netpoll)
set(TANDEM_LAYER_DIRECTORY_boot runtime/boot)

set(TANDEM_LAYERS_BELOW_base)
set(TANDEM_LAYERS_BELOW_context base)
set(TANDEM_LAYERS_BELOW_seam base context)
set(TANDEM_LAYERS_BELOW_gc base context seam)
set(TANDEM_LAYERS_BELOW_sched base context seam)
set(TANDEM_LAYERS_BELOW_netpoll base context seam)
set(TANDEM_LAYERS_BELOW_boot base context seam gc sched netpoll)

# What the objects of all layers share: public include directory and the definitions that change the ABI.
add_library(tandem_layer_usage INTERFACE)
target_include_directories(tandem_layer_usage INTERFACE "${PROJECT_SOURCE_DIR}/runtime/include")
target_compile_definitions(tandem_layer_usage INTERFACE
  $<$<BOOL:${TANDEM_DEBUG_CHECKS}>:TANDEM_DEBUG_CHECKS=1>)

set(TANDEM_LAYERS_WITH_OBJECTS)
set(precompiled)  # the first layer's, which the others share
foreach(layer IN LISTS TANDEM_LAYERS)
  set(directory "${PROJECT_SOURCE_DIR}/${TANDEM_LAYER_DIRECTORY_${layer}}")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${directory}/*.cpp" "${directory}/*.S")
  if(NOT TANDEM_HAS_TBB)
    list(FILTER sources EXCLUDE REGEX "/gc/mark_arena\\.cpp$")
  endif()
  if(NOT TANDEM_HAS_LIBURING)
    list(FILTER sources EXCLUDE REGEX "/netpoll/uring_poller\\.cpp$")
  endif()
  if(TANDEM_HAS_BDWGC)
    list(FILTER sources EXCLUDE REGEX "/gc/boehm_absent\\.cpp$")
  else()
    list(FILTER sources EXCLUDE REGEX "/gc/boehm/")
  endif()
  if(NOT sources)
    continue()  # a layer of headers only has no objects
  endif()
  if(sources MATCHES "\\.S(;|$)")
    enable_language(ASM)
  endif()
  add_library(tandem_${layer} OBJECT ${sources})
  target_link_libraries(tandem_${layer} PRIVATE tandem_library_options tandem_layer_usage tandem_dependencies)
  # Names in anonymous namespaces repeat from file to file, so a user's CMAKE_UNITY_BUILD must not reach here.
  set_target_properties(tandem_${layer} PROPERTIES POSITION_INDEPENDENT_CODE ON UNITY_BUILD OFF)
  if(precompiled)
    tandem_reuse_precompiled(tandem_${layer} ${precompiled})
  else()
    tandem_precompile(tandem_${layer} ${TANDEM_STANDARD_HEADERS})
    set(precompiled tandem_${layer})
  endif()
  list(APPEND TANDEM_LAYERS_WITH_OBJECTS ${layer})
endforeach()

# Links the objects of `layer` and of every layer below it into `target`, with their public usage.
function(tandem_link_layer target layer)
  target_link_libraries(${target} PRIVATE tandem_library_options tandem_layer_usage tandem_dependencies)
  target_link_options(${target} PRIVATE -Wl,-z,now)
  foreach(part IN ITEMS ${TANDEM_LAYERS_BELOW_${layer}} ${layer})
    if(part IN_LIST TANDEM_LAYERS_WITH_OBJECTS)
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:tandem_${part}>)
    endif()
  endforeach()
endfunction()
