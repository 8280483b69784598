#!/usr/bin/env bash
# Counts the instructions of the hot operations under callgrind: figures that do not depend on how busy the machine is.
#
#   bench/instructions.sh BUILD_DIR [--functions] [--json FILE]
#
# --functions says for each operation which functions they are in, each without those that it calls.
# Every operation is run n and 2n times; the difference, divided by n, leaves out what does not belong to it. The kernel's
# instructions are not seen, and valgrind has no vDSO: reading the clock counts as the call of the C library only, here
# and in what is compared with.
set -euo pipefail

n=1000 # twice as many spans fit into the memory that a thread keeps for them
functions=false
json=
usage() {
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
[ $# -gt 0 ] || usage
bench=$1/bench/whence-bench
shift
while [ $# -gt 0 ]; do
    case $1 in
    --functions) functions=true ;;
    --json)
        json=${2:?--json wants a file}
        shift
        ;;
    *) usage ;;
    esac
    shift
done
[ -x "$bench" ] || { echo "instructions.sh: no $bench; configure with -DWHENCE_BENCH=ON and build" >&2; exit 1; }
command -v valgrind >/dev/null || { echo "instructions.sh: no valgrind here" >&2; exit 1; }

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# A file of its own for each run of the counted function, in the order in which the program names them.
valgrind --quiet --tool=callgrind --callgrind-out-file="$out/dump" --combine-dumps=no --collect-atstart=no \
    --toggle-collect=counted_operations --dump-after=counted_operations --compress-strings=no --compress-pos=no \
    "$bench" --instructions $n >"$out/names"

# What each function has cost itself, in the files of both runs: a line with two numbers is a cost of the function named
# last, unless it follows a line "calls=": then it is what a call has cost altogether.
own_costs() {
    awk -v n=$n '
        FNR == 1 { sign = FNR == NR ? -1 : 1; name = "" }
        /^fn=/ { name = substr($0, 4); next }
        /^calls=/ { getline; next }
        /^[0-9]+ [0-9]+$/ { if (name != "") cost[name] += sign * $2 }
        END { for (name in cost) if (cost[name] >= n / 2) printf "%.1f\t%s\n", cost[name] / n, name }
    ' "$out/dump.$1" "$out/dump.$2" | LC_ALL=C sort -rn
}

total_of() { sed -n 's/^totals: //p' "$out/dump.$1"; }

declare -A count=()
names=()
declare -A floor=() second=()
number=0
once=0
while IFS=$'\t' read -r times name against; do
    number=$((number + 1))
    total=$(total_of $number)
    if [ "$times" -eq $n ]; then
        once=$total
    else
        names+=("$name")
        second[$name]=$number
        floor[$name]=$against
        count[$name]=$(awk -v d=$((total - once)) -v n=$n 'BEGIN { printf "%.1f", d / n }')
    fi
done <"$out/names"

ratio_of() {
    if [ -n "${floor[$1]}" ] && [ -n "${count[${floor[$1]}]-}" ]; then
        awk -v a="${count[$1]}" -v b="${count[${floor[$1]}]}" 'BEGIN { printf "%.2f", a / b }'
    fi
}

printf '%-52s %12s %8s  %s\n' operation instructions ratio 'the floor'
for name in "${names[@]}"; do
    ratio=$(ratio_of "$name")
    printf '%-52s %12s %8s  %s\n' "$name" "${count[$name]}" "${ratio:--}" "${floor[$name]}"
    if $functions; then
        own_costs $((second[$name] - 1)) "${second[$name]}" |
            while IFS=$'\t' read -r own function; do printf '  %-50s %12s\n' "$function" "$own"; done
    fi
done

if [ -n "$json" ]; then
    separator=
    {
        echo '['
        for name in "${names[@]}"; do
            ratio=$(ratio_of "$name")
            printf '%s  {"name": "%s", "instructions": %s, "ratio_to_floor": %s}' "$separator" "$name" "${count[$name]}" \
                "${ratio:-null}"
            separator=$',\n'
        done
        printf '\n]\n'
    } >"$json"
fi
