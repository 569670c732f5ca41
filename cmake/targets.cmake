# One way to declare each kind of target. A folder a/b becomes the library dyad_a_b with the alias dyad::a_b.
include(GoogleTest)

function(dyad_library name)
  cmake_parse_arguments(A "" "" "SRCS;DEPS" ${ARGN})
  add_library(dyad_${name} STATIC ${A_SRCS})
  add_library(dyad::${name} ALIAS dyad_${name})
  target_link_libraries(dyad_${name} PUBLIC dyad_options ${A_DEPS})
endfunction()

# Torch's headers cost about 10 s a file: every file that sees them reuses one precompiled header (cmake/torch_pch.h).
file(WRITE ${CMAKE_BINARY_DIR}/torch_pch.cc "// holds the precompiled header\n")
add_library(dyad_torch_pch STATIC EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/torch_pch.cc)
target_link_libraries(dyad_torch_pch PUBLIC dyad_options dyad_libtorch)
target_compile_options(dyad_torch_pch PUBLIC $<$<BOOL:${DYAD_CCACHE}>:-fpch-preprocess>)
target_precompile_headers(dyad_torch_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/torch_pch.h)

function(dyad_torch_library name)
  dyad_library(${name} ${ARGN})
  target_link_libraries(dyad_${name} PUBLIC dyad_torch_pch dyad_libtorch)
  target_precompile_headers(dyad_${name} REUSE_FROM dyad_torch_pch)
endfunction()

function(dyad_program name)
  cmake_parse_arguments(A "TORCH" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${A_SRCS})
  target_link_libraries(${name} PRIVATE dyad_options ${A_DEPS})
  if(A_TORCH)
    target_link_libraries(${name} PRIVATE dyad_torch_pch dyad_libtorch)
    target_precompile_headers(${name} REUSE_FROM dyad_torch_pch)
  endif()
endfunction()

# dyad_test(name SRCS ... DEPS ... [TORCH] [LABELS ...] [SERIAL] [TIMEOUT s]): a GoogleTest program, each test a ctest
# entry. Label "slow" keeps a test out of tools/test.sh.
function(dyad_test name)
  cmake_parse_arguments(A "TORCH;SERIAL" "TIMEOUT" "SRCS;DEPS;LABELS" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
    if(DYAD_SANITIZE)
      set(A_TIMEOUT 900)   # a debug build under a sanitizer is about ten times slower
    endif()
  endif()
  set(torch "")
  if(A_TORCH)
    set(torch TORCH)
  endif()
  dyad_program(${name} ${torch} SRCS ${A_SRCS} DEPS ${A_DEPS} GTest::gtest_main GTest::gmock)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  if(NOT A_TORCH)   # a quarter less to compile than with -O3; with LibTorch the precompiled header fixes the level
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  set(properties TIMEOUT ${A_TIMEOUT})
  if(A_TORCH)   # OpenMP's threads spin while they wait: two tests side by side took twenty times their processor time
    list(APPEND properties ENVIRONMENT OMP_NUM_THREADS=1)
  endif()
  if(A_LABELS)
    list(APPEND properties LABELS "${A_LABELS}")
  endif()
  if(A_SERIAL)
    list(APPEND properties RUN_SERIAL TRUE)
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES ${properties})
endfunction()
