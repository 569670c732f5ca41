# Run at each build: writes OUT with the commit of SOURCE, only where it has changed, so that nothing is built anew. A
# tree without git, such as one out of an archive, has none.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE} describe --tags --always --dirty
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define DYAD_COMMIT \"@commit@\"\n" @ONLY)
