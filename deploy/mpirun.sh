#!/usr/bin/env bash
# The same job as `dyad train`, with coordinator and servers started apart and the workers under mpirun: what the
# scheduler of a cluster does with one configuration file. Here all on this machine.
#   deploy/mpirun.sh CONFIG [--set KEY=VALUE ...]      programs from PATH
set -euo pipefail
[ $# -ge 1 ] && [ -r "$1" ] || { echo "usage: deploy/mpirun.sh CONFIG [--set KEY=VALUE ...]" >&2; exit 2; }
resolved=$(mktemp --suffix=.toml)
apart=()
cleanup() {
  [ ${#apart[@]} -eq 0 ] || kill "${apart[@]}" 2>/dev/null || true
  rm -f "$resolved"
}
trap cleanup EXIT
dyad config --file "$@" >"$resolved"
value() {                                        # value SECTION KEY
  awk -F' = ' -v section="[$1]" -v key="$2" \
    '$0 == section {on = 1; next} /^\[/ {on = 0} on && $1 == key {print $2}' "$resolved"
}
job=$(value job dir | tr -d '"') servers=$(value servers count) workers=$(value train workers)

if [ -e "$job/coordinator.journal" ] && ! flock -n "$job/coordinator.journal" true; then
  echo "mpirun.sh: job.dir $job is in use by a running job" >&2; exit 5
fi
rm -f "$job/coordinator.json"                    # of a coordinator that was killed
dyad-coordinator --config "$resolved" & apart+=($!)
for ((i = 0; i < 300; i++)); do                  # at most 30 s
  [ -e "$job/coordinator.json" ] && break
  sleep 0.1
done
[ -e "$job/coordinator.json" ] || { echo "mpirun.sh: no coordinator came up; its lines are above" >&2; exit 1; }
for ((id = 0; id < servers; id++)); do dyad-ps --config "$resolved" --id "$id" & apart+=($!); done
mpirun --allow-run-as-root --oversubscribe --bind-to none -n "$workers" dyad-worker train --config "$resolved"
wait "${apart[@]}"                               # they leave when every worker has said that it is done
apart=()
