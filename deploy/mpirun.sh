#!/usr/bin/env bash
# `dyad train` with words of your own for mpirun, which places the workers; coordinator, servers and evaluator run here.
# Without such words it is `dyad train`: stops, resumes, restarts, exit codes are the same because they are that.
set -euo pipefail
usage() {
  cat <<'TEXT'
usage: deploy/mpirun.sh CONFIG [--resume] [--set KEY=VALUE ...] [-- WORDS FOR MPIRUN ...]
Programs come from PATH; all options of `dyad train` are understood. Ctrl-C or SIGTERM: once writes a checkpoint and
stops with code 7 (go on with --resume), twice stops at once. Exit codes: docs/operations.md.
Example: deploy/mpirun.sh job.toml --resume -- --hostfile hosts --mca btl_tcp_if_include eth0
TEXT
}
case ${1-} in
  -h | --help) usage; exit 0 ;;
  '' | -*) usage >&2; exit 2 ;;
esac
command -v dyad >/dev/null ||
  { echo "mpirun.sh: no \`dyad\` in PATH; add the folder of the programs to it" >&2; exit 3; }
options=(--config "$1")
shift
while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
[ $# -le 1 ] || options+=(--mpirun "${*:2}")
exec dyad train "${options[@]}"
