# `cmake --install build/release --prefix DIR` makes a tree that any user can run and that may be moved as a whole:
#   bin/         the four programs, which look for libraries by $ORIGIN/../lib/dyad
#   lib/dyad/    every library they need, but for those that belong to the machine (below)
#   share/dyad/  configurations, launchers, the quickstart and these docs
# `cpack` in the build folder packs the same tree; tools/package.sh does that and proves the result.
set(DYAD_PROGRAMS dyad dyad-coordinator dyad-ps dyad-worker)
# DT_RPATH, not DT_RUNPATH: it holds for the libraries of our libraries, too.
foreach(program IN LISTS DYAD_PROGRAMS)
  set_target_properties(${program} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/dyad")
  target_link_options(${program} PRIVATE -Wl,--disable-new-dtags)
endforeach()

# The machine's own: the C and C++ libraries, the GPU's driver, and Open MPI, whose libraries, plugins and mpirun must
# be of one version, and on a cluster are those of the cluster.
set(machine "^(linux-vdso|ld-linux|lib(c|m|dl|rt|pthread|resolv|util|stdc\\+\\+|gcc_s|cuda|nvidia-ml)\\.so)"
  "^lib(mpi|open-rte|open-pal|ompitrace)\\.so")
install(TARGETS ${DYAD_PROGRAMS} RUNTIME_DEPENDENCY_SET dyad_libraries RUNTIME DESTINATION bin)
install(RUNTIME_DEPENDENCY_SET dyad_libraries PRE_EXCLUDE_REGEXES ${machine}
  LIBRARY DESTINATION lib/dyad)
# Man page and completion come from the same source as --help: the program says them.
foreach(said "man:share/man/man1:dyad.1" "completion bash:share/bash-completion/completions:dyad"
    "completion zsh:share/zsh/site-functions:_dyad" "completion fish:share/fish/vendor_completions.d:dyad.fish")
  string(REPLACE ":" ";" said "${said}")
  list(POP_FRONT said words folder name)
  set(file ${CMAKE_BINARY_DIR}/said/${folder}/${name})
  install(CODE "file(MAKE_DIRECTORY \"${CMAKE_BINARY_DIR}/said/${folder}\")
    execute_process(COMMAND \"$<TARGET_FILE:dyad>\" ${words} OUTPUT_FILE \"${file}\" COMMAND_ERROR_IS_FATAL ANY)")
  install(FILES ${file} DESTINATION ${folder})
endforeach()
install(FILES README.md LICENSE CHANGELOG.md DESTINATION share/dyad)
install(DIRECTORY docs DESTINATION share/dyad)
install(DIRECTORY deploy DESTINATION share/dyad USE_SOURCE_PERMISSIONS)
install(PROGRAMS tools/quickstart.sh tools/fetch_data.sh tools/results_table.py DESTINATION share/dyad/tools)
install(FILES tools/wheel.sh DESTINATION share/dyad/tools)

set(CPACK_GENERATOR "TZST;DEB")
set(CPACK_PACKAGE_NAME dyad)
set(CPACK_PACKAGE_VENDOR "The Dyad authors")
set(CPACK_PACKAGE_CONTACT "The Dyad authors <dyad@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Distributed parameter-server training of the EAGER generative recommender")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGE_FILE_NAME dyad-${PROJECT_VERSION}-linux-x86_64)
set(CPACK_THREADS 0)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libc6 (>= 2.36), libstdc++6 (>= 12), openmpi-bin (>= 4.1), openmpi-bin (<< 5)")
include(CPack)
