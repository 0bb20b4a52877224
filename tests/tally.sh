#!/bin/bash
# Runs the parts of the test suite that the environment names, and ends with one line: the total.
#   UNIT     unit test programs; each prints "ok     ..." or "FAILED ..." per test
#   REPLAY   fuzz replay programs, named as their folder under fuzz/seeds
#   INTEROP  the build folder whose adit and aditd meet the real peers
# The exit status is 0 when something ran and nothing failed.
set -u
passed=0 failed=0 skipped=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

count() # adds what $log tells; $1 is what ran, $2 its exit status
{
    local bad
    bad=$(grep -c '^FAILED ' "$log")
    passed=$((passed + $(grep -c '^ok ' "$log")))
    skipped=$((skipped + $(grep -c '^skipped ' "$log")))
    # A crash, a sanitizer's report or a time-out must count even where no test owned up to it.
    if [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; then
        echo "FAILED $1: ended with status $2"
        bad=1
    fi
    failed=$((failed + bad))
}

for program in ${UNIT:-}; do
    timeout -k 5 300 "$program" 2>&1 | tee "$log"
    count "$program" "${PIPESTATUS[0]}"
done

for program in ${REPLAY:-}; do
    name=${program##*/}
    inputs=$(find "fuzz/seeds/$name" -type f 2>/dev/null | wc -l)
    if [ "$inputs" -eq 0 ]; then
        echo "FAILED replay $name: no inputs in fuzz/seeds/$name" | tee "$log"
        count "$program" 1
    elif timeout -k 5 300 "$program" "fuzz/seeds/$name" >"$log" 2>&1; then
        echo "ok     replay $name: $inputs inputs" | tee "$log"
        count "$program" 0
    else
        status=$?
        cat "$log"
        echo "FAILED replay $name: ended with status $status" | tee "$log"
        count "$program" "$status"
    fi
done

if [ -n "${INTEROP:-}" ]; then
    ADIT=$INTEROP/adit ADITD=$INTEROP/aditd python3 tests/interop/run.py --no-total 2>&1 | tee "$log"
    count "tests/interop/run.py" "${PIPESTATUS[0]}"
fi

echo "$passed passed, $failed failed$([ "$skipped" -gt 0 ] && echo ", $skipped skipped")"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
