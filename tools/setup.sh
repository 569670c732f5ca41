#!/usr/bin/env bash
# Installs what Dyad needs on Debian 12: packages, LibTorch and Arrow out of their wheels. Safe to run again: it fetches
# only what is missing.
#   tools/setup.sh            everything that building and testing need; on a machine with an NVIDIA GPU also --gpu
#   tools/setup.sh --gpu      the CUDA libraries of LibTorch and NCCL too (2 GB more to fetch)
#   tools/setup.sh --fuzz     clang and its fuzzer too, for tools/test.sh --fuzz
#   tools/setup.sh --prefix   prints the folder that holds the unpacked wheels (DYAD_DEPS, or a folder of your cache)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/wheel.sh"
deps=$(wheels_folder)
gpu=; [ -e /dev/nvidiactl ] && gpu=yes
fuzz=()
case "${1:-}" in
  --prefix) echo "$deps"; exit 0 ;;
  -h|--help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  --gpu) gpu=yes ;;
  --fuzz) fuzz=(clang libclang-rt-dev llvm) ;;
  "") ;;
  *) echo "setup.sh: unknown option $1 (see --help)" >&2; exit 2 ;;
esac
die() { echo "setup.sh: $*" >&2; exit 1; }

packages=(ca-certificates git g++ cmake ninja-build ccache mold pkg-config python3 python3-numpy python3-pip
  openmpi-bin libopenmpi-dev libzmq3-dev cppzmq-dev capnproto libcapnp-dev libboost-dev libgtest-dev libgmock-dev
  libcli11-dev libtomlplusplus-dev libspdlog-dev libfmt-dev prometheus-cpp-dev libxxhash-dev libzstd-dev
  nlohmann-json3-dev zlib1g-dev libcurl4-openssl-dev "${fuzz[@]}")
missing=()
for p in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${Status}' "$p" 2>/dev/null)" = 'install ok installed' ] || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || die "no apt-get here; install these by hand and run again: ${missing[*]}"
  as_root=(env DEBIAN_FRONTEND=noninteractive)
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "needs root to install ${missing[*]}; run as root or install sudo"
    as_root=(sudo "${as_root[@]}")
  fi
  echo "setup: installing ${#missing[@]} Debian packages"
  "${as_root[@]}" apt-get update -qq || die "apt-get update failed; check the network and the package sources"
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install ${missing[*]}; see its message above, then run again"
fi

mkdir -p "$deps" || die "cannot write to $deps; set DYAD_DEPS to a folder of yours"
exec 9>"$deps/.lock"; flock 9                              # two set-ups at once would unpack into each other
wheel() {                                                  # wheels lie beside each other, so that their RPATHs hold
  [ -e "$deps/.done-$1" ] && return
  fetch_wheel "$1" "$deps" || exit 1
  touch "$deps/.done-$1"
}
rm -rf "$deps"/.fetch.*                                    # of a set-up that was stopped
for requirement in torch==2.11.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85 pyarrow==26.0.1; do
  wheel "$requirement"
done
if [ -n "$gpu" ]; then                                     # what libtorch_cuda.so of torch 2.11.0 is linked with
  for requirement in nvidia-cublas==13.1.0.3 nvidia-cufft==12.0.0.61 nvidia-cufile==1.15.1.6 nvidia-curand==10.4.0.35 \
      nvidia-cusolver==12.0.4.66 nvidia-cusparse==12.6.3.3 nvidia-nvjitlink==13.0.88 nvidia-cuda-nvrtc==13.0.88 \
      nvidia-nvtx==13.0.85 nvidia-cuda-crt==13.0.88 nvidia-cudnn-cu13==9.19.0.56 nvidia-cusparselt-cu13==0.8.0 \
      nvidia-nccl-cu13==2.28.9 nvidia-nvshmem-cu13==3.4.5; do
    wheel "$requirement"
  done
fi
echo "setup: ready, libraries in $deps"
