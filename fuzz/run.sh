#!/bin/bash
# run.sh BUILD SECONDS NAME... : runs each libFuzzer program BUILD/bin/NAME for SECONDS. It starts
# from fuzz/seeds/NAME and keeps what it finds in BUILD/corpus/NAME; what breaks a target goes to
# BUILD/crashes/NAME-*. Fails when one of them found something.
set -u
build=$1 seconds=$2
shift 2
broken=0
mkdir -p "$build/crashes"
for name; do
    mkdir -p "$build/corpus/$name"
    log=$build/$name.log
    "$build/bin/$name" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 \
        -print_final_stats=1 -artifact_prefix="$build/crashes/$name-" \
        "$build/corpus/$name" "fuzz/seeds/$name" >"$log" 2>&1
    status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    if [ "$status" -eq 0 ]; then
        printf 'ok     fuzz %s: %s runs, %s a second\n' "$name" "${runs:-?}" "${rate:-?}"
    else
        tail -n 60 "$log"
        printf 'FAILED fuzz %s: ended with status %s\n' "$name" "$status"
        broken=1
    fi
done
exit $broken
