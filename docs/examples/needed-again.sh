#!/bin/sh
# A consumer in plain sh: who has bought a staple needs it again next week, so it is put back on the list.
# Reads shopping.ItemTicked, says shopping.ItemUnticked. The JSON texts are passed on as they stand, so no character
# of them needs to be understood.
set -eu
event=$(cat)
text() { # the JSON text of a field, with its quotes
    printf '%s\n' "$event" | sed -nE 's/.*"'"$1"'":("([^"\\]|\\.)*").*/\1/p'
}
item=$(text item)
week=$(text week)
[ -n "$item" ] && [ -n "$week" ] || { echo "no item and week in this event" >&2; exit 65; }
case $item in
    '"salt"' | '"oil"' | '"flour"')
        printf '{"type":"shopping.ItemUnticked","payload":{"week":%s,"item":%s},"key":"again"}\n' "$week" "$item" ;;
esac
