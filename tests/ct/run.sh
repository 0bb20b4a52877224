#!/bin/sh
# run.sh PROGRAM... : each under valgrind. A ct_* program fails when valgrind reports something; a
# planted_* program has one leak and fails when valgrind does not report that.
set -u
here=$(dirname "$0")
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
broken=0

# The leak was reported and the program did nothing else wrong: 99 is valgrind's own status.
reports()
{
    [ "$1" -eq 99 ] && grep -q "$2" "$log"
}

for program; do
    name=${program##*/}
    valgrind -q --error-exitcode=99 --suppressions="$here/suppressions" "$program" >"$log" 2>&1
    status=$?
    case $name in
    planted_branch) reports $status 'Conditional jump or move depends on uninit' ;;
    planted_index) reports $status 'Use of uninitialised value of size' ;;
    *) cat "$log"; [ $status -eq 0 ] ;;
    esac
    good=$?
    case $name in
    planted_*)
        if [ $good -eq 0 ]; then
            echo "ok     $name: the leak was found"
        else
            cat "$log"
            echo "FAILED $name: the leak was not found"
        fi ;;
    *) [ $good -eq 0 ] || echo "FAILED $name: ended with status $status" ;;
    esac
    [ $good -eq 0 ] || broken=1
done
exit $broken
