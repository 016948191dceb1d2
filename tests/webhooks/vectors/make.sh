#!/bin/sh
# Signs the bodies beside this file with openssl and nothing of ours, into signatures.tsv.
# Run it again with:  sh tests/webhooks/vectors/make.sh
set -eu
cd "$(dirname "$0")"

# what is signed is the time, a full stop, and the raw body
sign() { # name, secret, time, body on standard input
    { printf '%s.' "$3"; cat; } |
        openssl dgst -sha256 -mac HMAC -macopt "key:$2" -r |
        awk -v name="$1" -v secret="$2" -v time="$3" '{ print name "\t" secret "\t" time "\t" $1 }'
}

plain=made-up-secret-of-an-endpoint
{
    for body in *.body; do
        sign "$body" "$plain" 1606227791 <"$body"
    done
    sign joined.body 'hemmelighet-på-norsk' 1606227791 <joined.body
    sign joined.body k 1606227791 <joined.body
    sign joined.body "$plain" 0 <joined.body
    sign joined.body "$plain" 4102444800 <joined.body
    # ten million bytes need not be kept: zeros are easily made again
    head -c 10000000 /dev/zero | sign ten-million-zeros "$plain" 1606227791
} >signatures.tsv
