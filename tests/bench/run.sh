#!/bin/sh
# run.sh [run.py's arguments] : builds the load generator beside adit, then measures. $ADIT and $ADITD
# are the programs; QUICK=1 is for a first look. Always succeeds: a benchmark fails no build.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
ADIT=$(realpath "${ADIT:-$top/build/release/adit}")
ADITD=$(realpath "${ADITD:-$top/build/release/aditd}")
export ADIT ADITD
built=$(dirname "$ADIT")
BENCH=${BENCH:-$built/bench}
export BENCH
cd "$top" || exit 0

compile()
{
    ${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -O2 -I. "$@"
}

mkdir -p "$BENCH"
rm -f "$BENCH/load" "$BENCH/aead"
bench=tests/bench
compile -o "$BENCH/load" $bench/load.c $bench/net.c $bench/serve.c $bench/echo.c $bench/open.c \
    $bench/stream.c $bench/relay.c || exit 0
compile -o "$BENCH/aead" $bench/aead.c "$built/libcrypto.a" "$built/libproto.a" -lsodium -lbearssl ||
    echo "bench: aead does not build here; the floor will be missing" >&2
python3 -B $bench/run.py "$@" || echo "bench: ended early (status $?)" >&2
exit 0
