#!/usr/bin/env bash
# Sets up, builds and runs every test that needs no GPU. The last line counts them: "N passed, N failed, N skipped".
#   tools/test.sh          the release build, all tests but those labelled slow
#   tools/test.sh --slow   those too
#   tools/test.sh --asan   the unit tests under the address and undefined-behaviour sanitizers
#   tools/test.sh --tsan   the ps and net tests under the thread sanitizer
#   tools/test.sh --fuzz [SECONDS]   the decoders of outside bytes under a fuzzer (clang), each for so long (20)
# DYAD_WERROR=ON makes warnings errors. Exit code: 0 all passed, 1 a test failed or nothing could be run, 2 wrong usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=release; folders=(.); exclude=slow setup=() configure=()
case "${1:-}" in
  "") ;;
  --slow) exclude='^$' ;;
  --asan) preset=asan; folders=(common ps worker coordinator tools ops tests/rows) ;;
  --tsan) preset=tsan; folders=(ps common/net common/wire tests/rows) ;;
  --fuzz)
    preset=fuzz; folders=(tests/fuzz); setup=(--fuzz); configure=(-DDYAD_FUZZ_SECONDS="${2:-20}")
    [[ ${2:-20} =~ ^[1-9][0-9]*$ ]] || { echo "test.sh: --fuzz wants whole seconds, not '$2'" >&2; exit 2; } ;;
  -h|--help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "test.sh: unknown option $1 (see --help)" >&2; exit 2 ;;
esac

tools/setup.sh "${setup[@]}"
cmake --preset "$preset" -DDYAD_WERROR="${DYAD_WERROR:-OFF}" "${configure[@]}"
targets=()
for folder in "${folders[@]}"; do targets+=("$([ "$folder" = . ] && echo all || echo "$folder/all")"); done
tools/build.sh "$preset" "${targets[@]}"

build=$PWD/build/$preset
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:suppressions=$PWD/cmake/ubsan.supp
export LSAN_OPTIONS=suppressions=$PWD/cmake/lsan.supp:print_suppressions=0
export TSAN_OPTIONS=suppressions=$PWD/cmake/tsan.supp:halt_on_error=1
launch=(); [ "$preset" = tsan ] && setarch -R true 2>/dev/null && launch=(setarch -R)   # GCC 12 fears wide ASLR
rm -f "$build"/results-*.xml
code=0
for folder in "${folders[@]}"; do
  [ -e "$build/$folder/CTestTestfile.cmake" ] || { echo "test.sh: no tests were configured in $folder" >&2; exit 1; }
  "${launch[@]}" ctest --test-dir "$build/$folder" -j2 -LE "$exclude" --output-on-failure --no-tests=error \
    --output-junit "$build/results-${folder//\//_}.xml" || code=1
done
python3 tools/count_tests.py "$build"/results-*.xml || code=1
exit "$code"
