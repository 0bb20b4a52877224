#!/bin/sh
# layers.sh FOLDER... (lowest first): a file may include headers of its own folder and of those
# named before it. Prints file:line of every other #include "...", and fails if there was one.
set -u
allowed=
found=0
for layer; do
    allowed="$allowed $layer"
    for file in "$layer"/*.c "$layer"/*.h; do
        [ -e "$file" ] || continue
        awk -v allowed="$allowed" -v file="$file" '
            BEGIN { n = split(allowed, names, " "); for (i = 1; i <= n; i++) ok[names[i]] = 1 }
            /^[ \t]*#[ \t]*include[ \t]*"/ {
                path = $0
                sub(/^[^"]*"/, "", path); sub(/".*/, "", path)
                slash = index(path, "/")
                folder = slash ? substr(path, 1, slash - 1) : ""
                if (!(folder in ok)) {
                    printf "%s:%d: includes \"%s\"; may include only:%s\n", file, NR, path, allowed
                    bad = 1
                }
            }
            END { exit bad }' "$file" || found=1
    done
done
exit $found
