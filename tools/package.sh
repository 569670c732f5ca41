#!/usr/bin/env bash
# Packs the release build as a .tar.zst and a .deb, then proves both: each is unpacked in an empty folder by an ordinary
# user with an empty environment, where a small job is made, trained, stopped short, resumed, evaluated and asked for
# recommendations.
#   tools/package.sh              into dist/
#   tools/package.sh --prove F    only proves the package F
# Needs Open MPI's mpirun at run time, as whoever installs the package does; everything else is inside.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
say() { echo "package: $*"; }
die() { echo "package.sh: $*" >&2; exit 1; }

# What an ordinary user does with an unpacked tree $1, in the folder $2.
prove_tree() {
  local tree=$1 room=$2 bin=$1/bin at=$2/proof
  local user=(env -i HOME="$room" TMPDIR="$room" PATH="$bin:/usr/bin:/bin" LC_ALL=C.UTF-8)
  [ "$(id -u)" != 0 ] || user=(setpriv --reuid=65534 --regid=65534 --clear-groups "${user[@]}")
  local program missing
  for program in dyad dyad-coordinator dyad-ps dyad-worker; do
    [ -x "$bin/$program" ] || die "$tree has no bin/$program"
    missing=$("${user[@]}" ldd "$bin/$program" | awk -v tree="$tree/" \
      '/not found/ || ($3 ~ /^\// && index($3, tree) != 1 && $3 !~ /^\/(usr\/)?lib(64)?\//) {print}')
    [ -z "$missing" ] || die "$program would load from elsewhere: $missing"
  done
  "${user[@]}" dyad --version
  "${user[@]}" dyad synth --out "$at/data" --users 300 --items 120 --events 2400 --seed 5 --vectors 16 >/dev/null
  "${user[@]}" dyad encode behaviour --data "$at/data" --dim 16 --epochs 1 >/dev/null
  "${user[@]}" dyad codes build --data "$at/data" --k 12 >/dev/null
  local train=(dyad train --set job.dir="$at/run" --set job.data="$at/data" --set model.dim=16 --set model.heads=2
    --set model.ffn=32 --set model.decoder_layers=1 --set train.batch=64 --set train.epochs=2 --set servers.buckets=64
    --set servers.groups=8 --set eval.beams=20)
  "${user[@]}" "${train[@]}" --set train.max_steps=3 >/dev/null 2>&1
  "${user[@]}" "${train[@]}" --resume
  "${user[@]}" dyad eval "$at/run/checkpoints/best" --split test --ranks 2
  "${user[@]}" dyad recommend "$at/run/checkpoints/best" --user u1 --top 3
}

prove() {
  local package room
  package=$(realpath "$1")
  room=$(mktemp -d); trap 'rm -rf "$room"' EXIT
  chmod 755 "$room"
  case $package in
    *.deb) dpkg-deb -x "$package" "$room/root"; mv "$room/root/usr" "$room/tree" ;;
    *.tar.zst) mkdir "$room/tree"; tar --zstd -C "$room/tree" --strip-components=1 -xf "$package" ;;
    *) die "$package is neither a .deb nor a .tar.zst" ;;
  esac
  mkdir "$room/home"; chmod 777 "$room/home"
  say "proving $(basename "$package") ($(du -h "$package" | cut -f1))"
  prove_tree "$room/tree" "$room/home" || die "$(basename "$package") does not work, see above"
  rm -rf "$room"; trap - EXIT
}

case "${1:-}" in
  "") ;;
  --prove) [ $# = 2 ] || { echo "package.sh: --prove wants one file" >&2; exit 2; }; prove "$2"; exit ;;
  -h|--help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "package.sh: unknown option $1 (see --help)" >&2; exit 2 ;;
esac
cd "$here"
tools/setup.sh
cmake --preset release >/dev/null
tools/build.sh release dyad dyad-coordinator dyad-ps dyad-worker
mkdir -p dist
say "packing"
cpack --config build/release/CPackConfig.cmake -B dist >/dev/null ||
  die "cpack failed; run it without this script for its words"
rm -rf dist/_CPack_Packages
for package in dist/*.tar.zst dist/*.deb; do prove "$package"; done
ls -l dist
