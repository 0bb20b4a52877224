#!/bin/bash
# unpack.sh [-b] FOLDER PACKAGE... : the files of these Debian packages below FOLDER, for tests to use.
# They are not installed, since an installed daemon is enabled and claims its port at the next boot,
# and so that a newer one can stand beside the system's.
# -b takes them from this release's backports, at the archive that the system gets its Debian from.
# Says so where it cannot be done, and is content: the tests that want them are skipped, for the
# reason that is left in FOLDER.why.
set -u

backports=
if [ "$1" = -b ]; then
    backports=yes
    shift
fi
folder=$1
shift
[ -e "$folder" ] && exit 0

options=()
mkdir -p "$folder.new/debs" || exit 0
new=$(cd "$folder.new" && pwd) || exit 0

# The system's own source of Debian, file:number as apt counts: the line of a one-line list, the stanza
# of another. Its copy differs in the suite alone, and so keeps the key that signs it.
backports_source()
{
    local codename origin
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME") || return 1
    # shellcheck disable=SC2016 # apt fills these in
    origin=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(COMPONENT) $(SOURCESENTRY)' \
        'Created-By: Packages' | sed -n "s/^Debian $codename main //p" | head -n 1)
    case $origin in
    *.sources:*)
        awk -v RS= -v n="${origin##*:}" 'NR == n' "${origin%:*}" |
            sed -E -e "s/^(Suites:).*/\1 $codename-backports/" -e 's/^(Components:).*/\1 main/' \
                -e 's/^(Types:).*/\1 deb/' >"$new/backports.sources"
        ;;
    *.list:*)
        sed -n "${origin##*:}p" "${origin%:*}" |
            sed -E "s/ $codename .*/ $codename-backports main/" >"$new/backports.list"
        ;;
    *)
        echo "apt knows no source of Debian's $codename"
        return 1
        ;;
    esac
}

# apt with lists of its own, in which nothing but the backports stands.
use_backports()
{
    backports_source || return 1
    local sources
    sources=$(echo "$new"/backports.*)
    mkdir -p "$new/lists/partial" "$new/cache/archives/partial"
    options=(-o "Dir::Etc::sourcelist=$sources" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$new/lists" -o "Dir::Cache=$new/cache" -o Acquire::Retries=0)
    apt-get "${options[@]}" update
}

download() # into debs
{
    (cd "$new/debs" && apt-get "${options[@]}" download "$@")
}

unpack()
{
    local deb
    if [ -n "$backports" ]; then
        use_backports && download "$@" || return 1
    else
        download "$@" || { apt-get update && download "$@"; } || return 1
    fi
    for deb in "$new"/debs/*.deb; do
        dpkg-deb -x "$deb" "$new/tree" || return 1
    done
    mv "$new/tree" "$folder"
}

if unpack "$@" >"$folder.log" 2>&1; then
    echo "unpacked $*"
    rm -f "$folder.log" "$folder.why"
else
    echo "$1 is not to be had${backports:+ from the backports}" >"$folder.why"
    echo "unpack: $(cat "$folder.why") (see $folder.log); its tests are skipped" >&2
fi
rm -rf "$new"
