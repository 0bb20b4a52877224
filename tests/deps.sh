#!/bin/sh
# deps.sh PACKAGE... : sees to it that these Debian packages are installed. Root installs what is
# missing; anybody else gets the one line to run. Says nothing when nothing is missing.
set -u

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "deps: this is no Debian system; please install what corresponds to: $*" >&2
    exit 0
fi

missing=
for package; do
    case $(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null) in
    ?i*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "Packages are missing. Run this once, then start again:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y$missing" >&2
    exit 1
fi

install()
{
    # shellcheck disable=SC2086 # the list is meant to be split
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing </dev/null
}

echo "installing$missing"
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
# Lists that are absent or too old show as a failed installation: fetch them then, and try once more.
if ! install >"$log" 2>&1; then
    if ! { apt-get update </dev/null && install; } >"$log" 2>&1; then
        cat "$log" >&2
        echo "deps: could not install$missing" >&2
        exit 1
    fi
fi
