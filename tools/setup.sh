#!/usr/bin/env bash
# Installs what Dyad needs on Debian 12: packages, LibTorch and Arrow out of their wheels. Safe to run again: it fetches only what is missing.
#   tools/setup.sh            everything that building and testing need
#   tools/setup.sh --prefix   prints the folder that holds the unpacked wheels
set -euo pipefail
deps=${DYAD_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/dyad/deps}
case "${1:-}" in
  --prefix) echo "$deps"; exit 0 ;;
  -h|--help) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0 ;;
  "") ;;
  *) echo "setup.sh: unknown option $1 (see --help)" >&2; exit 2 ;;
esac

packages=(ca-certificates git g++ cmake ninja-build ccache mold pkg-config python3 python3-pip
  openmpi-bin libopenmpi-dev libzmq3-dev cppzmq-dev capnproto libcapnp-dev libboost-dev libgtest-dev libgmock-dev
  libcli11-dev libtomlplusplus-dev libspdlog-dev libfmt-dev prometheus-cpp-dev libxxhash-dev libzstd-dev nlohmann-json3-dev
  zlib1g-dev libcurl4-openssl-dev)
missing=()
for p in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${Status}' "$p" 2>/dev/null)" = 'install ok installed' ] || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  command -v apt-get >/dev/null || { echo "setup.sh: no apt-get here; install by hand: ${missing[*]}" >&2; exit 1; }
  echo "setup: installing ${#missing[@]} Debian packages"
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# wheel STAMP REQUIREMENT: downloads one wheel and unpacks it beside the others, so that the RPATHs between them hold.
wheel() {
  local stamp=$deps/.$1; [ -e "$stamp" ] && return
  echo "setup: fetching $2"
  local tmp; tmp=$(mktemp -d); mkdir -p "$deps"
  python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_25_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 --platform manylinux1_x86_64 --platform any \
    -d "$tmp" "$2" || { echo "setup.sh: could not fetch $2; check the network and run again" >&2; rm -rf "$tmp"; exit 1; }
  python3 -m zipfile -e "$tmp"/*.whl "$deps"
  rm -rf "$tmp"; touch "$stamp"
}
wheel torch-2.11.0 torch==2.11.0
wheel cuda-runtime-13.0 'nvidia-cuda-runtime==13.0.*'
wheel cuda-cupti-13.0 'nvidia-cuda-cupti==13.0.*'
wheel pyarrow-26.0.1 pyarrow==26.0.1
echo "setup: ready, libraries in $deps"
