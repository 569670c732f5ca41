# Language, warnings, sanitizers, and the tools that make the build fast (all optional).
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O3 -g1")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
option(DYAD_WERROR "Warnings are errors" OFF)
set(DYAD_SANITIZE "" CACHE STRING "Passed to -fsanitize=")
set(DYAD_MARCH "x86-64-v3" CACHE STRING "Passed to -march= (kernels that gain from more pick it at run time)")

# stringop-overflow and restrict: GCC 12 reports them falsely inside fmt and std::string
add_library(dyad_options INTERFACE)
target_compile_options(dyad_options INTERFACE -Wall -Wextra -Wno-missing-field-initializers
  "$<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow;-Wno-restrict>" -march=${DYAD_MARCH}
  $<$<BOOL:${DYAD_WERROR}>:-Werror>)
target_include_directories(dyad_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
if(DYAD_SANITIZE)
  target_compile_options(dyad_options INTERFACE -fsanitize=${DYAD_SANITIZE} -fno-omit-frame-pointer -O1 -g1)
  target_link_options(dyad_options INTERFACE -fsanitize=${DYAD_SANITIZE})
endif()
if(DYAD_SANITIZE MATCHES fuzzer)   # an index beyond a std::span or std::string_view is found, too
  target_compile_definitions(dyad_options INTERFACE _GLIBCXX_ASSERTIONS)
endif()

find_program(DYAD_CCACHE ccache)
if(DYAD_CCACHE)  # the sloppiness lets precompiled headers be cached; the base folder lets clones share one cache
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${DYAD_CCACHE})
endif()
find_program(DYAD_MOLD mold)
if(DYAD_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
