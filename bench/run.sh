#!/usr/bin/env bash
# Runs the benchmark of a build directory that was configured with WHENCE_BENCH=ON:
#
#   bench/run.sh BUILD_DIR [--json FILE] [--quick] [--rounds N] [--only TEXT] [--static] [--peers]
#   bench/run.sh BUILD_DIR --growth [PICTURE.svg]
#   bench/run.sh BUILD_DIR --memory
#
# --peers builds what Whence is compared with, once, into a cache outside the tree, and measures it between our own rounds.
# --growth measures only how the costs of contexts grow, and prints and draws that (docs/pictures/growth.svg).
# --memory: only what memory spans and threads take, row by row in a process each.
# A peer whose toolchain is not there, or whose packages cannot be had, is left out, and that is said.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/whence/peers

usage() { sed -n '2,11s/^# \{0,1\}//p' "$0"; }
say() { printf '%s\n' "$*" >&2; }

# What the sources are: another build for other sources.
stamp() { (cd "$1" && find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-16); }

# build_peer NAME TOOL COMMAND...: runs the command in a copy of the sources and prints where the program is. The sources
# are copied because neither tool can be kept from writing beside them.
build_peer() {
    local name=$1 tool=$2 dir log
    shift 2
    if ! command -v "$tool" >/dev/null; then
        say "peers: no $tool here, so nothing of $name is measured"
        return 1
    fi
    dir=$cache/$name-$(stamp "$here/peers/$name")
    log=$dir/build.log
    if [ ! -x "$dir/peer" ]; then
        say "peers: building those in $name into $dir; some minutes, once"
        rm -rf -- "$cache/$name"-*
        mkdir -p "$dir/src"
        cp -R "$here/peers/$name/." "$dir/src"
        if ! (cd "$dir/src" && "$@" "$dir/new") >"$log" 2>&1 </dev/null; then
            say "peers: those in $name could not be built, so they are left out; the last lines of $log:"
            tail -n 5 "$log" >&2
            return 1
        fi
        rm -rf -- "$dir/src" "$dir/target"
        mv -- "$dir/new" "$dir/peer"
    fi
    printf '%s\n' "$dir/peer"
}

build_go() { GOTOOLCHAIN=local GOFLAGS=-mod=readonly go build -trimpath -o "$1" .; }
build_rust() { cargo build --release --locked --target-dir ../target && cp ../target/release/bench "$1"; }

program=whence-bench
options=()
peers=false
picture=
[ $# -gt 0 ] || { usage >&2; exit 2; }
case $1 in -h | --help) usage; exit ;; esac
build=$1
shift
while [ $# -gt 0 ]; do
    case $1 in
    --peers) peers=true ;;
    --growth)
        picture=$here/../docs/pictures/growth.svg
        case ${2:-} in *.svg)
            picture=$2
            shift
            ;;
        esac
        ;;
    --static) program=whence-bench-static ;;
    --memory) exec "$build/bench/whence-memory" ;;
    --quick) options+=("$1") ;;
    --json | --rounds | --only)
        [ $# -gt 1 ] || { say "run.sh: $1 wants a value"; exit 2; }
        options+=("$1" "$2")
        shift
        ;;
    *)
        say "run.sh: unknown option $1"
        usage >&2
        exit 2
        ;;
    esac
    shift
done

bench=$build/bench/$program
[ -x "$bench" ] || { say "run.sh: no $bench; configure with -DWHENCE_BENCH=ON and build"; exit 1; }
if $peers; then
    if go=$(build_peer go go build_go); then options+=(--peer "go=$go"); fi
    if rust=$(build_peer rust cargo build_rust); then options+=(--peer "rust=$rust"); fi
fi
if [ -n "$picture" ]; then
    figures=$(mktemp)
    trap 'rm -f "$figures"' EXIT
    "$bench" ${options[@]+"${options[@]}"} --only growth --json "$figures"
    echo
    python3 "$here/growth.py" "$figures" "$picture"
    exit
fi
exec "$bench" ${options[@]+"${options[@]}"}
