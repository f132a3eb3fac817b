#!/usr/bin/env bash
# Captures everything that a registration, a lookup, a call and its end put on the network, and
# searches it for what nobody on the way may see. Exit code 0: nothing was found.
#
# It needs root (a network namespace of its own, so that nothing else is captured), tshark and
# python3, and release builds: cargo build --release. RAMAL_BIN names another folder for them.
set -euo pipefail

bin=$(realpath "${RAMAL_BIN:-$(dirname "$0")/../target/release}")
for needed in tshark dumpcap python3 unshare ip; do
    command -v "$needed" >/dev/null || { echo "needed: $needed (apt-get install tshark)"; exit 2; }
done
if [ "${1:-}" != inside ]; then
    [ "$(id -u)" = 0 ] || { echo "needed: root, for a network namespace"; exit 2; }
    RAMAL_BIN=$bin exec unshare --net "$0" inside
fi

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
ip link set lo up
export XDG_CONFIG_HOME=$folder RAMAL_REGISTRY=127.0.0.1:5000 PULSE_SERVER=unix:/nonexistent
phone() {
    local name=$1
    shift
    "$bin/ramal-phone" --json --name "$name" --listen 127.0.0.1:0 --input silence --output none "$@"
}

dumpcap -q -i lo -s 0 -w "$folder/capture.pcapng" 2>"$folder/dumpcap.log" &
capture=$!
until grep -q '^File:' "$folder/dumpcap.log"; do sleep 0.1; done
"$bin/ramal-registry" --data "$folder/registry" --listen 127.0.0.1:5000 2>"$folder/registry.log" &
registry=$!
until grep -q listening "$folder/registry.log"; do sleep 0.1; done
phone Captured-Bob answer --auto --calls 1 >"$folder/bob.json" 2>/dev/null &
bob=$!
until grep -q '"registered"' "$folder/bob.json"; do sleep 0.1; done
"$bin/ramal-lookup" --registry 127.0.0.1:5000 Captured-Bob >/dev/null 2>&1
phone Captured-Alice call Captured-Bob --for 3 >"$folder/alice.json" 2>/dev/null
wait "$bob"
for name in Captured-Alice Captured-Bob; do
    phone "$name" identity show >>"$folder/keys.json"
done
kill "$registry"
wait "$registry" || true
sleep 1
kill -INT "$capture"
wait "$capture" || true

tshark -r "$folder/capture.pcapng" -T fields -e frame.protocols -e ip.proto \
    -e tcp.srcport -e tcp.dstport -e udp.srcport -e udp.dstport -e tcp.payload -e udp.payload \
    >"$folder/packets.tsv" 2>/dev/null

python3 - "$folder" <<'PYTHON'
import collections, json, re, sys

folder = sys.argv[1]
lines = lambda name: [json.loads(line) for line in open(f"{folder}/{name}") if line.strip()]
established = [event for event in lines("alice.json") if event["event"] == "established"]
assert established, "there was no call"

packets, ports = [], set()
for line in open(f"{folder}/packets.tsv"):
    field = line.rstrip("\n").split("\t")
    payload = bytes.fromhex((field[6] or field[7]).replace(":", "")) if len(field) > 7 else b""
    tcp = field[2] != ""
    ports |= {int(port) for port in field[2:6] if port}
    packets.append((tcp, payload))
streams = b"\0".join(payload for _, payload in packets)
datagrams = [payload for tcp, payload in packets if not tcp and payload]

def kind(payload):
    first = payload[0]
    return "STUN" if first < 4 else "DTLS" if 20 <= first < 64 else \
        "SRTP, SRTCP" if 128 <= first < 192 else "other"

def varint(number):
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])

kinds = collections.Counter(kind(payload) for payload in datagrams)
tcp_first = collections.Counter(
    {20: "TLS", 21: "TLS", 22: "TLS", 23: "TLS"}.get(payload[0], "inside a TLS record")
    for tcp, payload in packets if tcp and payload)
print(f"packets with a payload: {sum(1 for _, payload in packets if payload)}")
for name, count in sorted(kinds.items()):
    print(f"  UDP {name}: {count}")
for name, count in sorted(tcp_first.items()):
    print(f"  TCP {name}: {count}")

failed = False
def search(what, found):
    global failed
    failed |= bool(found)
    print(f"{what:<58}{'FOUND: ' + str(found) if found else 'not found'}")

print("searched for, in every payload:")
for name in ("captured-alice", "captured-bob"):
    search(f"name {name}, in any case", streams.lower().count(name.encode()))
for shown in lines("keys.json"):
    key = bytes.fromhex(shown["identity"])
    search(f"identity key of {shown['name']}, raw or as digits",
           streams.count(key) + streams.lower().count(key.hex().encode()))
search("identity key, the first 8 bytes of any",
       sum(streams.count(bytes.fromhex(shown["identity"])[:8]) for shown in lines("keys.json")))
# Every certificate of a phone holds the algorithm of its key or signature (RFC 5480, RFC 8410).
for name, oid in (("id-ecPublicKey", "2a8648ce3d0201"), ("ecdsa-with-SHA256", "2a8648ce3d040302"),
                  ("id-Ed25519 in an algorithm", "300506032b6570")):
    search(f"certificate: {name}", streams.count(bytes.fromhex(oid)))
# A password has at least 22 ICE characters in a row; chance makes such a run once in 10^13 bytes.
search("ICE password: 22 ICE characters in a row",
       [run[:8] for run in re.findall(rb"[A-Za-z0-9+/]{22,}", streams)])
search("candidate list: an address and port as they are encoded",
       sum(streams.count(bytes([0, 127, 0, 0, 1]) + varint(port)) for port in ports))
# Silence is coded to nearly the same bytes every time: in clear, payloads would begin alike.
voice = [payload[12:20] for payload in datagrams if kind(payload) == "SRTP, SRTCP"
         and not 200 <= payload[1] <= 207]
alike = sum(count for count in collections.Counter(voice).values() if count > 1)
search(f"voice: payloads that begin alike, of {len(voice)}", alike)
assert len(voice) > 100, "there was no voice"

users = {run.decode() for payload in datagrams if kind(payload) == "STUN"
         for run in re.findall(rb"[A-Za-z0-9+/]{4,256}:[A-Za-z0-9+/]{4,256}", payload)}
print("visible: addresses, ports, sizes and times of packets,")
print(f"  and ICE user fragments: {', '.join(sorted(users))}")
sys.exit(1 if failed else 0)
PYTHON
