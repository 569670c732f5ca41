# Debian packages by find_package; LibTorch and Arrow out of the wheels that tools/setup.sh unpacked.
find_package(Threads REQUIRED)
find_package(CapnProto REQUIRED)
find_package(GTest REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(CURL REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(MPI REQUIRED IMPORTED_TARGET ompi-c)
target_compile_definitions(PkgConfig::MPI INTERFACE OMPI_SKIP_MPICXX)  # the C interface only
pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)

if(NOT DYAD_DEPS)
  execute_process(COMMAND ${CMAKE_SOURCE_DIR}/tools/setup.sh --prefix
    OUTPUT_VARIABLE DYAD_DEPS OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
set(DYAD_DEPS ${DYAD_DEPS} CACHE PATH "Folder of the unpacked wheels")
if(NOT EXISTS ${DYAD_DEPS}/torch/lib/libtorch_cpu.so)
  message(FATAL_ERROR "no LibTorch in ${DYAD_DEPS}: run tools/setup.sh first")
endif()

# LibTorch by path, not find_package: its own package file asks for CUDA libraries that a CPU machine does not have.
add_library(dyad_libtorch INTERFACE)
# Its headers come after the system's: the wheel carries another version of fmt than the one we link.
target_compile_options(dyad_libtorch INTERFACE "SHELL:-idirafter ${DYAD_DEPS}/torch/include"
  "SHELL:-idirafter ${DYAD_DEPS}/torch/include/torch/csrc/api/include")
target_link_libraries(dyad_libtorch INTERFACE ${DYAD_DEPS}/torch/lib/libtorch_cpu.so ${DYAD_DEPS}/torch/lib/libc10.so)
target_link_options(dyad_libtorch INTERFACE -Wl,--allow-shlib-undefined)
if(EXISTS ${DYAD_DEPS}/nvidia/cudnn/lib/libcudnn.so.9)   # tools/setup.sh --gpu fetched what libtorch_cuda.so needs
  target_link_libraries(dyad_libtorch INTERFACE -Wl,--no-as-needed ${DYAD_DEPS}/torch/lib/libtorch_cuda.so
    ${DYAD_DEPS}/torch/lib/libc10_cuda.so -Wl,--as-needed)
endif()

# Arrow and Parquet: the pyarrow wheel holds headers and versioned libraries.
file(GLOB DYAD_ARROW_LIB ${DYAD_DEPS}/pyarrow/libarrow.so.*)
file(GLOB DYAD_PARQUET_LIB ${DYAD_DEPS}/pyarrow/libparquet.so.*)
add_library(dyad_arrow INTERFACE)
target_include_directories(dyad_arrow SYSTEM INTERFACE ${DYAD_DEPS}/pyarrow/include)
target_link_libraries(dyad_arrow INTERFACE ${DYAD_PARQUET_LIB} ${DYAD_ARROW_LIB})
target_link_options(dyad_arrow INTERFACE -Wl,--allow-shlib-undefined)

# NCCL, with the CUDA runtime: from the wheels of `tools/setup.sh --gpu` (those that LibTorch loads) or from a toolkit.
# Never required: without it common/comm builds no_nccl.cc.
find_package(CUDAToolkit QUIET)
find_path(DYAD_NCCL_INCLUDE nccl.h HINTS ${DYAD_DEPS}/nvidia/nccl/include ${CUDAToolkit_INCLUDE_DIRS})
find_path(DYAD_CUDA_INCLUDE crt/host_config.h HINTS ${DYAD_DEPS}/nvidia/cu13/include ${CUDAToolkit_INCLUDE_DIRS})
find_library(DYAD_NCCL_LIB NAMES libnccl.so.2 nccl HINTS ${DYAD_DEPS}/nvidia/nccl/lib ${CUDAToolkit_LIBRARY_DIR})
find_library(DYAD_CUDART_LIB NAMES libcudart.so.13 cudart HINTS ${DYAD_DEPS}/nvidia/cu13/lib ${CUDAToolkit_LIBRARY_DIR})
if(DYAD_NCCL_INCLUDE AND DYAD_CUDA_INCLUDE AND DYAD_NCCL_LIB AND DYAD_CUDART_LIB)
  set(DYAD_HAVE_NCCL TRUE)
  add_library(dyad_nccl INTERFACE)
  target_include_directories(dyad_nccl SYSTEM INTERFACE ${DYAD_NCCL_INCLUDE} ${DYAD_CUDA_INCLUDE})
  target_link_libraries(dyad_nccl INTERFACE ${DYAD_NCCL_LIB} ${DYAD_CUDART_LIB})
else()
  set(DYAD_HAVE_NCCL FALSE)
endif()
message(STATUS "dyad: wheels in ${DYAD_DEPS}, NCCL ${DYAD_HAVE_NCCL}")
