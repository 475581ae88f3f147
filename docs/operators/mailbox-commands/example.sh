#!/bin/sh
# A mailbox program in POSIX shell, to read and to begin one's own from: it keeps "mailboxes" as files in the folder that is its
# one argument. Kimlik's tests run it. See docs/operators/exchange.md for what each operation and status means.
set -eu

folder=${1:?the folder that holds the mailboxes}
request=$(cat)

# Only values that Kimlik itself makes (an operation, two UUIDs) are read this way; for names use a JSON parser.
field() {
    printf '%s' "$request" | sed -n 's/.*"'"$1"'":"\([^"\\]*\)".*/\1/p'
}
later() { # nothing happened, and later it may
    echo "$1" >&2
    exit 75
}
never() { # nothing happened, and nothing will as things are
    echo "$1" >&2
    exit 65
}

operation=$(field operation)
id=$(field requestId)
guid=$(field guid)
case $guid in
    '' | *[!0-9a-f-]*) never "the request names no account" ;;
esac
[ -d "$folder" ] || later "$folder is not there"

file=$folder/$guid
state=NONE
if [ -f "$file" ]; then state=$(cat "$file"); fi

# A whole file or none: whoever is ended in the middle has done nothing.
become() {
    printf '%s' "$1" > "$file.new"
    mv "$file.new" "$file"
    state=$1
}

# Each operation asks for a state, not for a change: done twice, it is done once.
case $operation in
    status | update) ;;
    open | reopen) become OPEN ;;
    hide) if [ "$state" = OPEN ]; then become HIDDEN; fi ;;
    close) if [ "$state" != NONE ]; then become CLOSED; fi ;;
    *) never "unknown operation" ;;
esac
printf '{"version":1,"requestId":"%s","state":"%s"}\n' "$id" "$state"
