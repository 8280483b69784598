#!/usr/bin/env bash
# Counts the instructions of the hot operations under callgrind: a figure that does not depend on how busy the machine is.
#
#   bench/instructions.sh BUILD_DIR [--json FILE]
#
# Every operation is run n and 2n times; the difference, divided by n, leaves out what does not belong to it. The kernel's
# instructions are not seen, and valgrind has no vDSO: reading the clock counts as the call of the C library only.
set -euo pipefail

n=2000
json=
[ $# -gt 0 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
bench=$1/bench/whence-bench
if [ "${2-}" = --json ]; then json=${3:?--json wants a file}; fi
[ -x "$bench" ] || { echo "instructions.sh: no $bench; configure with -DWHENCE_BENCH=ON and build" >&2; exit 1; }
command -v valgrind >/dev/null || { echo "instructions.sh: no valgrind here" >&2; exit 1; }

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# A file of its own for each run of the counted function, in the order in which the program names them.
valgrind --quiet --tool=callgrind --callgrind-out-file="$out/dump" --combine-dumps=no --collect-atstart=no \
    --toggle-collect=counted_operations --dump-after=counted_operations \
    "$bench" --instructions $n >"$out/names"

total_of() { sed -n 's/^totals: //p' "$out/dump.$1"; }

rows=()
number=0
while read -r times name; do
    number=$((number + 1))
    total=$(total_of $number)
    if [ "$times" -eq $n ]; then
        once=$total
    else
        rows+=("$(awk -v d=$((total - once)) -v n=$n 'BEGIN { printf "%.1f", d / n }')|$name")
    fi
done <"$out/names"

printf '%-52s %12s\n' operation instructions
for row in "${rows[@]}"; do printf '%-52s %12s\n' "${row#*|}" "${row%%|*}"; done
if [ -n "$json" ]; then
    separator=
    {
        echo '['
        for row in "${rows[@]}"; do
            printf '%s  {"name": "%s", "instructions": %s}' "$separator" "${row#*|}" "${row%%|*}"
            separator=$',\n'
        done
        printf '\n]\n'
    } >"$json"
fi
