#!/bin/bash
# How a voice sounds after a bad line, and how late it is: a table, and plots.
#
#   softphone/examples/line/bench.sh [--seeds 3] [--loss 0,10] [--plots docs/pictures] [...]
#   SPEECH="one.wav other.wav" softphone/examples/line/bench.sh ... -- --ptime 20 --in-order
#
# What comes after -- goes to the program of softphone/examples/line.rs. SPEECH is WAV files of
# 16 kHz or more; by default prompts of Debian's asterisk-core-sounds-en-g722 (PROMPTS names another
# of its packages), fetched without root. Keeps speech and a Python environment in target/line-bench.

set -euo pipefail
cd "$(dirname "$0")/../../.."
kept=target/line-bench
mkdir -p $kept

if [ ! -e $kept/python/ready ]; then
    python3 -m venv $kept/python
    $kept/python/bin/pip install -q numpy scipy soundfile pesq pystoi matplotlib G722
    touch $kept/python/ready
fi

if [ -z "${SPEECH:-}" ]; then
    package=${PROMPTS:-asterisk-core-sounds-en-g722}
    if [ ! -d $kept/$package ]; then
        (cd $kept && apt-get download -q $package)
        dpkg-deb -x $kept/${package}_*.deb $kept/$package
    fi
    # The longest ones, in the order of their names.
    SPEECH=$(find $kept/$package -name '*.g722' -size +30k | sort | head -n 40)
fi

cargo build -q --release --locked -p softphone --no-default-features --example line
# shellcheck disable=SC2086 # Several files.
exec nice $kept/python/bin/python softphone/examples/line/bench.py \
    --program target/release/examples/line --jobs "$(nproc)" --speech $SPEECH "$@"
