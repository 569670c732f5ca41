#!/usr/bin/env bash
# The same job as `dyad train`, with coordinator and servers started apart, the workers under mpirun and an evaluator
# behind the checkpoints: what the scheduler of a cluster does with one configuration file. Here all on this machine.
#   deploy/mpirun.sh CONFIG [--resume] [--set KEY=VALUE ...]      programs from PATH
# Ctrl-C or SIGTERM: once writes a checkpoint and stops with code 7 (go on with --resume), twice stops at once.
set -euo pipefail
[ $# -ge 1 ] && [ -r "$1" ] || { echo "usage: deploy/mpirun.sh CONFIG [--resume] [--set KEY=VALUE ...]" >&2; exit 2; }
config=$1; shift
resume=() sets=()
for word in "$@"; do
  if [ "$word" = --resume ]; then resume=(--resume); else sets+=("$word"); fi
done
say() { echo "mpirun.sh: $*" >&2; }

resolved=$(mktemp --suffix=.toml)
cleanup() {                                      # no process is left behind, however this ends
  trap '' INT TERM HUP
  local left; left=$(jobs -p)
  [ -z "$left" ] || kill $left 2>/dev/null || true
  wait
  rm -f "$resolved"
}
trap cleanup EXIT
# Each in a session of its own: Ctrl-C reaches this script alone, which asks mpirun for a last checkpoint.
ranks='' evaluator='' asker='' stops=0
on_stop() {
  stops=$((stops + 1))
  if [ -z "$ranks" ]; then say "stopped before training had begun"; exit 7; fi
  if [ "$stops" -gt 1 ]; then say "stopped at once; --resume goes on from the last checkpoint"; exit 7; fi
  (while kill -USR1 "$ranks" 2>/dev/null; do sleep 2; done) & asker=$!   # again: an mpirun that is starting loses one
}
trap on_stop INT TERM HUP
dyad config --file "$config" "${sets[@]}" >"$resolved"
value() {                                        # value SECTION KEY
  awk -F' = ' -v section="[$1]" -v key="$2" \
    '$0 == section {on = 1; next} /^\[/ {on = 0} on && $1 == key {print $2}' "$resolved" | tr -d '"'
}
job=$(realpath -m "$(value job dir)") data=$(realpath -m "$(value job data)")
servers=$(value servers count) workers=$(value train workers) follow=$(value eval during_training)
dyad config --file "$config" "${sets[@]}" --set job.dir="$job" --set job.data="$data" >"$resolved"

if [ -e "$job/coordinator.journal" ] && ! flock -n "$job/coordinator.journal" true; then
  say "job.dir $job is in use by a running job"; exit 5
fi

settle() {                                       # waits for the end of process $1 through all signals; gives its code
  while kill -0 "$1" 2>/dev/null; do wait "$1" || true; done
  wait "$1"
}

rm -f "$job/coordinator.json"                    # of a coordinator that was killed
setsid dyad-coordinator --config "$resolved" "${resume[@]}" & coordinator=$!
for ((i = 0; i < 300; i++)); do                  # at most 30 s
  [ ! -e "$job/coordinator.json" ] && kill -0 "$coordinator" 2>/dev/null || break
  sleep 0.1
done
if [ ! -e "$job/coordinator.json" ]; then
  say "no coordinator came up; its lines are above"
  kill "$coordinator" 2>/dev/null || true
  settle "$coordinator"
  exit 1
fi
apart=("$coordinator")
for ((id = 0; id < servers; id++)); do
  setsid dyad-ps --config "$resolved" --id "$id" & apart+=($!)
done
[ "$follow" != true ] || { setsid nice -n 5 dyad eval --follow "$job" & evaluator=$!; }
setsid mpirun --allow-run-as-root --oversubscribe --bind-to none -n "$workers" \
  dyad-worker train --config "$resolved" & ranks=$!

code=0
settle "$ranks" || code=$?
[ -z "$asker" ] || kill "$asker" 2>/dev/null || true
if [ "$stops" = 1 ] && [ "$code" = 138 ]; then   # by that signal: the ranks could not catch it yet
  say "stopped before training had begun"; exit 7
fi
[ "$code" = 0 ] || exit "$code"
for part in "${apart[@]}"; do settle "$part"; done   # they leave when every worker has said that it is done
if [ "$stops" -gt 0 ]; then say "stopped, go on with --resume"; exit 7; fi
if [ -n "$evaluator" ]; then                     # what is not evaluated yet, unless Ctrl-C comes
  trap 'exit 0' INT TERM HUP
  kill -USR1 "$evaluator"
  settle "$evaluator"
fi
