#!/bin/bash
# What somebody on the way sees of a registration, a lookup, a call and its end.
#
#   sudo docs/capture.sh [FOLDER]      FOLDER has the programs; target/release if none is given
#
# Needs root (a network namespace of its own, which is gone afterwards), tshark and iproute2. It runs
# a registry, a lookup and two phones that speak noise, captures every packet between them, and looks
# in what was captured for what nobody may see. Then it does the same with --plain towards the
# registry, to show that it would find it. Exit code 0: nothing was seen that may not be.

set -euo pipefail
programs=$(realpath "${1:-target/release}")
space=ramal-capture-$$
work=$(mktemp -d)
started=()

end() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    ip netns delete "$space" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT

for needed in tshark ip xxd; do
    command -v $needed >/dev/null || { echo "$needed is needed: apt-get install tshark iproute2 xxd"; exit 2; }
done
for program in ramal-registry ramal-lookup ramal-phone; do
    [ -x "$programs/$program" ] || { echo "$programs/$program is not built"; exit 2; }
done

caller=quetzalcoatl callee=huitzilopochtli
# Without a zero byte in them: frames have none, so these stand in them as they are.
registry=10.77.9.1 caller_at=10.77.9.2 callee_at=10.77.9.3

ip netns add "$space"
inside="ip netns exec $space"
$inside ip link set lo up
for address in $registry $caller_at $callee_at; do $inside ip address add $address/32 dev lo; done

# Three seconds of noise: a WAV file of 48,000 samples a second, 16 bits, one channel.
bytes=288000
{
    printf 'RIFF'; printf '%08x' $((bytes + 36)) | fold -w2 | tac | tr -d '\n' | xxd -r -p
    printf 'WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0data'
    printf '%08x' $bytes | fold -w2 | tac | tr -d '\n' | xxd -r -p
    head -c $bytes /dev/urandom
} >"$work/noise.wav"

# Starts something in the namespace that goes on. NAME is where it writes.
start() {
    local name=$1; shift
    NO_COLOR=1 $inside "$@" >"$work/$name" 2>&1 &
    started+=($!)
}

# Waits until a file says something.
await() {
    for _ in $(seq 300); do grep -q "$2" "$work/$1" && return; sleep 0.1; done
    echo "no '$2' in $1:"; cat "$work/$1"; exit 2
}

# run HOW [--plain]: registration, lookup, call and hang-up, captured into HOW.pcap.
run() {
    local how=$1; shift
    started=()
    start "$how-capture" tshark -q -i lo -w "$work/$how.pcap"
    await "$how-capture" 'Capturing on'
    start "$how-registry" "$programs/ramal-registry" --listen $registry:5000 --announce never --data "$work/$how" \
        --plain any
    await "$how-registry" 'listening'
    local phone=("$programs/ramal-phone" --registry $registry --json "$@"
        --input "$work/noise.wav" --output none --config)
    start "$how-callee" "${phone[@]}" "$work/$how-b" --name $callee --listen $callee_at:0 \
        answer --auto --calls 1
    await "$how-callee" '"registered"'
    $inside "$programs/ramal-lookup" --registry $registry "$@" --config "$work/$how-l" $callee \
        >"$work/$how-lookup" 2>&1
    $inside "${phone[@]}" "$work/$how-a" --name $caller --listen $caller_at:0 \
        call $callee --for 3 >"$work/$how-caller" 2>&1
    await "$how-callee" '"ended"'
    sleep 1
    for pid in "${started[@]}"; do kill -INT "$pid" 2>/dev/null || true; done
    wait
    started=()
}

# Everything that was said, as hexadecimal digits: one line for each way of a TCP connection, in
# order, and one for each datagram.
said() {
    local streams
    streams=$(tshark -r "$work/$1.pcap" -Y tcp -T fields -e tcp.stream 2>/dev/null | sort -un)
    for stream in $streams; do
        for port in $(tshark -r "$work/$1.pcap" -Y "tcp.stream==$stream && tcp.len>0" \
            -T fields -e tcp.srcport 2>/dev/null | sort -u); do
            tshark -r "$work/$1.pcap" -Y "tcp.stream==$stream && tcp.srcport==$port && \
                tcp.len>0 && !tcp.analysis.retransmission" -T fields -e tcp.payload 2>/dev/null |
                tr -d '\n:'
            echo
        done
    done >"$work/$1.tcp"
    tshark -r "$work/$1.pcap" -Y udp -T fields -e udp.payload 2>/dev/null | tr -d : >"$work/$1.udp"
}

hex() { printf '%s' "$1" | xxd -p | tr -d '\n'; }
hex_of_ip() { printf '%02x' ${1//./ }; }

# The longest part of some bytes that has no zero in it: frames write zeros in another way.
without_zeros() {
    fold -w2 <<<"$1" | awk '$1 == "00" { part = ""; next }
        { part = part $1; if (length(part) > length(longest)) longest = part }
        END { print longest }'
}

failures=0
# look HOW WHAT HEX: whether somebody sees it. Without encryption it has to be seen, or the look is
# none.
look() {
    local how=$1 what=$2 hex=$3 seen=no
    if grep -qi "$hex" "$work/$how.tcp" "$work/$how.udp"; then seen=YES; fi
    printf '  %-44s %s\n' "$what" "$seen"
    case $how$seen in tlsYES | plainno) failures=$((failures + 1)) ;; esac
}

look_for_all() {
    local how=$1
    look "$how" "the name of the caller" "$(hex $caller)"
    look "$how" "the name of the callee" "$(hex $callee)"
    local keys
    keys=$(grep -o 'identity=[0-9a-f]*' "$work/$how-registry" | sort -u | cut -d= -f2)
    for key in $keys; do
        look "$how" "an identity key ($key...)" "$(without_zeros "$key")"
    done
    look "$how" "what a program calls itself" "$(hex ramal-phone/)"
    # As contacts and candidates have it.
    look "$how" "an address of the caller in a message" "$(hex_of_ip $caller_at)"
    look "$how" "an address of the callee in a message" "$(hex_of_ip $callee_at)"
}

run tls
said tls
run plain --plain
said plain

echo "Captured of a registration, a lookup, a call of 3 s and its end:"
capture="$work/tls.pcap"
packets() { tshark -r "$capture" -Y "$1" 2>/dev/null | wc -l; }
echo "  $(packets tcp) packets of TCP, $(packets udp) of UDP, $(packets '!tcp && !udp') others"
echo
echo "Seen in it:"
look_for_all tls
certificates=$(packets 'tls.handshake.certificate || dtls.handshake.certificate')
printf '  %-44s %s\n' "certificates, of phones and registry" "$certificates"
[ "$certificates" = 0 ] || failures=$((failures + 1))

# Nothing is in another form: every way of a TCP connection begins with a handshake record of TLS,
# and the first byte of every datagram is that of STUN, DTLS or SRTP (RFC 7983).
others=$(grep -cvE '^(1603|$)' "$work/tls.tcp" || true)
printf '  %-44s %s\n' "ways of TCP connections that are not TLS" "$others"
[ "$others" = 0 ] || failures=$((failures + 1))
stun=$(grep -cE '^0[0-3]' "$work/tls.udp" || true)
dtls=$(grep -cE '^(1[4-9a-f]|2[0-9a-f]|3[0-9a-f])' "$work/tls.udp" || true)
srtp=$(grep -cE '^[89ab]' "$work/tls.udp" || true)
all=$(wc -l <"$work/tls.udp")
other=$((all - stun - dtls - srtp))
printf '  %-44s %s\n' "datagrams of STUN, DTLS, SRTP" "$stun, $dtls, $srtp"
printf '  %-44s %s\n' "datagrams of anything else" "$other"
[ "$other" = 0 ] || failures=$((failures + 1))

# Opus begins each packet with a byte that says how it is coded, the same for nearly all of a voice.
# Encrypted, it is any.
voice=$(tshark --enable-heuristic rtp_udp -r "$capture" -Y rtp -T fields -e rtp.payload \
    2>/dev/null | cut -c1-2)
many=$(wc -l <<<"$voice") different=$(sort -u <<<"$voice" | wc -l)
printf '  %-44s %s\n' "different first bytes of $many packets of voice" "$different"
[ "$many" -gt 100 ] && [ "$different" -gt 50 ] || failures=$((failures + 1))

# A password of ICE is at least 22 ICE characters in a row, which chance makes once in 10^13 bytes.
runs=$(cat "$work/tls.tcp" "$work/tls.udp" | xxd -r -p | grep -acE '[A-Za-z0-9+/]{22,}' || true)
printf '  %-44s %s\n' "passwords of ICE" "$runs"
[ "$runs" = 0 ] || failures=$((failures + 1))

# What STUN carries: the attributes have types, and none of them is a password (RFC 8489, 8445).
echo "  attributes of STUN: $(tshark -r "$capture" -Y stun -T fields -e stun.att.type 2>/dev/null |
    tr ',' '\n' | sort -u | tr '\n' ' ')"
echo
echo "Seen, and known to be:"
echo "  addresses: $(tshark -r "$capture" -T fields -e ip.src 2>/dev/null | tr ',' '\n' |
    sort -u | tr '\n' ' ')"
echo "  ICE user fragments: $(tshark -r "$capture" -Y stun -T fields -e stun.att.username \
    2>/dev/null | grep . | sort -u | tr '\n' ' ')"
sizes=$(tshark -r "$capture" -Y 'udp' -T fields -e udp.length 2>/dev/null | sort -n | uniq | wc -l)
echo "  when packets come, and how long they are ($sizes different lengths of datagrams)"
echo
echo "The same with --plain towards the registry, where all of it has to be seen:"
look_for_all plain
echo
if [ $failures = 0 ]; then
    echo "Nothing was seen that may not be."
else
    echo "$failures of these are not as they have to be."
    exit 1
fi
