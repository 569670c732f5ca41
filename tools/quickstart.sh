#!/usr/bin/env bash
# From a bare Debian 12 to a trained and measured model: sets up, builds, fetches MovieLens-100k and a sentence encoder,
# trains EAGER with a coordinator, two parameter servers and two workers, evaluates the best checkpoint on two ranks,
# trains the baselines, and recommends by title. About 15 minutes on 2 cores from bare, less than 10 once built.
#   tools/quickstart.sh           runs what is not done yet; run/quickstart holds everything
#   tools/quickstart.sh --fresh   starts over (what was fetched and built is kept)
# More keys for the job: DYAD_TRAIN_EPOCHS=2 tools/quickstart.sh (docs/configuration.md).
# In an installed tree (share/dyad/tools) it sets up and builds nothing, and the folder is ./dyad-quickstart.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
config=$(realpath "$tools/../deploy/quickstart.toml") codes_k=64
if [ -e "$tools/setup.sh" ]; then cd "$tools/.."; run=$PWD/run/quickstart; else run=$PWD/dyad-quickstart; fi
case "${1:-}" in
  "") ;;
  --fresh) rm -rf "$run" ;;
  -h|--help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "quickstart.sh: unknown option $1 (see --help)" >&2; exit 2 ;;
esac
started=$SECONDS
say() { printf '\n== %s\n' "$*"; }

if [ -e "$tools/setup.sh" ]; then
  say "set-up and build"
  tools/setup.sh
  cmake --preset release >/dev/null
  programs=(dyad dyad-coordinator dyad-ps dyad-worker)
  tools/build.sh release "${programs[@]}"
  PATH=$PWD/build/release/bin:$PATH
else
  PATH=$(realpath "$tools/../../../bin"):$PATH
fi
mkdir -p "$run/done"

say_why() {                                     # NAME CODE of a stage that did not end well
  case $2 in
    7|130|143) echo "quickstart.sh: stopped in stage '$1'; run again: it goes on here" ;;
    *) echo "quickstart.sh: stage '$1' failed (see above); once fixed, run again: it goes on here" ;;
  esac
}

# stage NAME COMMAND...: runs the command unless it ended well before with the same words and configuration. A stage
# that runs makes those after it run again. The command sees its $key.
rerun=
stage() {
  local name=$1 key; shift
  key=$(printf '%s\n' "$@" "$(cat "$config")" "$(env | grep '^DYAD_[A-Z]*_' | sort)" | cksum)
  if [ -z "$rerun" ] && [ "$(cat "$run/done/$name" 2>/dev/null)" = "$key" ]; then
    say "$name: done before, reused"
    return
  fi
  say "$name"
  rerun=yes
  rm -f "$run/done/$name"
  [ "$name" = training ] || rm -f "$run/training"     # a training that was stopped had other input
  local begin=$SECONDS
  "$@" || { code=$?; say_why "$name" "$code" >&2; exit "$code"; }
  echo "$key" >"$run/done/$name"
  echo "   ($name took $((SECONDS - begin)) s)"
}

movies=$("$tools"/fetch_data.sh ml-100k)
encoder=$("$tools"/fetch_data.sh minilm)
data=$run/data job=$run/job results=$run/results
mkdir -p "$results"

import() { rm -rf "$data"; dyad import --format recbole "$movies" --out "$data" --k-core 5; }
# A training that was stopped goes on from its newest checkpoint, if nothing has changed that went into it.
train() {
  local resume=()
  if [ "$(cat "$run/training" 2>/dev/null)" = "$key" ] && compgen -G "$job/checkpoints/*/manifest.json" >/dev/null; then
    resume=(--resume)
  else
    rm -rf "$job"
  fi
  echo "$key" >"$run/training"
  dyad train --config "$config" --set job.dir="$job" --set job.data="$data" "${resume[@]}" || return
  rm -f "$run/training"
}

stage import import
stage "text vectors" dyad encode text --data "$data" --model "$encoder"
stage "behaviour vectors" dyad encode behaviour --data "$data"
stage codes dyad codes build --data "$data" --k "$codes_k"
stage training train
stage evaluation dyad eval "$job/checkpoints/best" --split test --ranks 2 --output "$results/eager.json"
stage popularity dyad baseline popularity --data "$data" --output "$results/popularity.json"
stage SASRec dyad baseline sasrec --data "$data" --output "$results/sasrec.json"

say "test split, full catalogue, seen items not removed"
python3 "$tools"/results_table.py popularity="$results/popularity.json" SASRec="$results/sasrec.json" \
  behaviour="$results/eager.json" semantic="$results/eager.json" fusion="$results/eager.json" | tee "$results/table.txt"

say "recommendations"
for user in 1 2 3; do dyad recommend "$job/checkpoints/best" --user "$user" --top 5; echo; done
took=$((SECONDS - started))
echo "quickstart: finished in $((took / 60)) min $((took % 60)) s; everything is in ${run#"$PWD"/}"
