#!/bin/sh
# unpack.sh FOLDER PACKAGE... : the files of these Debian packages below FOLDER, for tests to use.
# They are not installed, since an installed daemon is enabled and claims its port at the next boot.
# Says so where it cannot be done, and is content: the tests that want them are skipped.
set -u

folder=$1
shift
for package; do
    [ -e "$folder/$package" ] && continue
    mkdir -p "$folder/new" || exit 0
    if (
        cd "$folder/new" || exit 1
        apt-get download "$package" || { apt-get update && apt-get download "$package"; } || exit 1
        dpkg-deb -x "$package"_*.deb tree && mv tree "../$package"
    ) >"$folder/log" 2>&1; then
        echo "unpacked $package"
    else
        echo "unpack: $package is not to be had; its tests are skipped" >&2
    fi
    rm -rf "$folder/new"
done
