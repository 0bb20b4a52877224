#!/bin/bash
# The demo behind `make demo`: a gateway (aditd), a web service, and one tunnel of each kind (adit),
# all on this machine's loopback, with throw-away keys in a temporary folder. Bytes go through each
# tunnel both ways and are compared by checksum. Whatever happens, everything it started is ended
# and the folder is removed.
set -u

adit=$(realpath "${ADIT:-build/release/adit}") || exit 1
aditd=$(realpath "${ADITD:-build/release/aditd}") || exit 1
folder=$(mktemp -d) || exit 1
me=$(id -un)
started=()

clean_up()
{
    trap - EXIT INT TERM HUP
    kill "${started[@]}" 2>/dev/null
    local end=$((SECONDS + 3))
    while [ -n "$(jobs -rp)" ]; do
        [ "$SECONDS" -lt "$end" ] || kill -9 "${started[@]}" 2>/dev/null
        sleep 0.05
    done
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'echo; echo "interrupted: cleaning up"; exit 130' INT TERM HUP

say() { printf '%s\n' "$*"; }

fail()
{
    say "The demo failed: $*" >&2
    for log in "$folder"/*.log; do
        [ -s "$log" ] && sed "s|^|    ${log##*/}: |" "$log" >&2
    done
    exit 1
}

# wait_for "what" COMMAND...: repeats the command until it succeeds, for ten seconds at most.
wait_for()
{
    local what=$1 end=$((SECONDS + 10))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "$what did not come up"
        sleep 0.05
    done
}

start() # NAME COMMAND...: in the background, with NAME.log for what it says
{
    local name=$1
    shift
    "$@" >"$folder/$name.log" 2>&1 </dev/null &
    started+=($!)
}

sum() { sha256sum "$1" | cut -c 1-16; }

# same FILE FILE: the two files hold the same bytes
same() { cmp -s "$1" "$2" || fail "${1##*/} and ${2##*/} differ"; }

port_from() # FILE PATTERN: the number that follows the pattern in a log
{
    sed -n "s/.*$2 \([0-9][0-9]*\).*/\1/p" "$folder/$1" | head -n 1
}

# ---- the service: GET /NAME reads a file, PUT /NAME writes one. It takes a port of the kernel's.
cat >"$folder/service.py" <<'SERVICE'
import http.server, os, sys
os.chdir(sys.argv[1])

class Handler(http.server.SimpleHTTPRequestHandler):
    def do_PUT(self):
        with open(os.path.basename(self.path), "wb") as f:
            f.write(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("serving on port", server.server_port, flush=True)
server.serve_forever()
SERVICE

# transfer "words" TAG CURL-ARGS... URL: reads the service's file and stores one there, through
# whatever way the arguments describe, and compares checksums.
transfer()
{
    local tag=$1
    shift
    local url=${*: -1}
    local way=("${@:1:$#-1}")
    curl -sS --noproxy '' --max-time 30 "${way[@]}" -o "$folder/$tag.down" "$url/download" ||
        fail "reading through $tag"
    curl -sS --noproxy '' --max-time 30 "${way[@]}" -T "$folder/upload" "$url/$tag.up" ||
        fail "writing through $tag"
    same "$folder/site/download" "$folder/$tag.down"
    same "$folder/upload" "$folder/site/$tag.up"
    say "   read     $size MiB, sha256 $(sum "$folder/$tag.down")... = what the service has"
    say "   written  $size MiB, sha256 $(sum "$folder/site/$tag.up")... = what was sent"
}

size=8
mkdir "$folder/site"
head -c $((size * 1048576)) /dev/urandom >"$folder/site/download"
head -c $((size * 1048576)) /dev/urandom >"$folder/upload"

say "adit demo: everything stays on this machine; keys and files live in $folder"
ssh-keygen -q -t ed25519 -N '' -C demo -f "$folder/host_key" || fail "no host key"
ssh-keygen -q -t ed25519 -N '' -C demo -f "$folder/id" || fail "no user key"
cp "$folder/id.pub" "$folder/authorized_keys"

start service python3 "$folder/service.py" "$folder/site"
start aditd "$aditd" -D -p 0 -h "$folder/host_key" -A "$folder/authorized_keys"
wait_for "the web service" grep -q 'serving on port' "$folder/service.log"
wait_for "aditd" grep -q 'listening on' "$folder/aditd.log"
web=$(port_from service.log port)
gate=$(port_from aditd.log port)
say "A web service listens on port $web, the gateway aditd on port $gate."

cat >"$folder/config" <<CONFIG
Host gate
    HostName 127.0.0.1
    Port $gate
    User $me
    IdentityFile $folder/id
    IdentitiesOnly yes
    UserKnownHostsFile $folder/known_hosts
    BatchMode yes
    ExitOnForwardFailure yes
CONFIG
printf '[127.0.0.1]:%s %s\n' "$gate" "$(cut -d ' ' -f 1,2 "$folder/host_key.pub")" >"$folder/known_hosts"

free_port()
{
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# tunnel NAME PROBE-PORT ARGS...: an adit that is up once the port answers
tunnel()
{
    local name=$1 port=$2
    shift 2
    start "$name" "$adit" -F "$folder/config" -N "$@" gate
    wait_for "the tunnel $name" python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))"
}

local_port=$(free_port)
say
say "1. adit -N -L $local_port:localhost:$web gate"
say "   port $local_port here -> adit -> (encrypted) -> aditd -> the web service"
tunnel local "$local_port" -L "$local_port:localhost:$web"
transfer local "http://127.0.0.1:$local_port"

remote_port=$(free_port)
say
say "2. adit -N -R $remote_port:localhost:$web gate"
say "   port $remote_port at aditd -> (encrypted) -> adit -> the web service on adit's side"
tunnel remote "$remote_port" -R "$remote_port:localhost:$web"
transfer remote "http://127.0.0.1:$remote_port"

socks_port=$(free_port)
say
say "3. adit -N -D $socks_port gate"
say "   curl --socks5-hostname 127.0.0.1:$socks_port -> adit -> (encrypted) -> aditd -> wherever curl asks for"
tunnel socks "$socks_port" -D "$socks_port"
transfer socks --socks5-hostname "127.0.0.1:$socks_port" "http://localhost:$web"

say
say "All three tunnels carried $size MiB each way, every checksum right. Cleaning up."
