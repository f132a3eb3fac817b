"""Runs a voice over many lines and scores what is heard: see bench.sh, which prepares it.

Each call's delay and scores are those of pieces of 8 s, both directions: a piece of what was said is
looked for in what was heard, and PESQ-WB and STOI compare the two where they fit best.
"""

import argparse
import itertools
import json
import math
import multiprocessing
import pathlib
import subprocess
import tempfile
import warnings

import numpy as np
import soundfile
from pesq import pesq
from pystoi import stoi
from scipy.signal import correlate, resample_poly

RATE = 48_000
PIECE = 8 * RATE
# The farthest that a piece is looked for, behind where it was said.
LATEST = RATE
# Said before the figures begin, while both ends learn what the line is like.
WARM = PIECE

LOSSES = [0, 1, 5, 10, 20, 30, 50]
BURSTS = [1, 3, 6]
JITTERS = [0, 20, 50, 100]


def sound(path):
    """A file as mono at RATE."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    common = math.gcd(rate, RATE)
    return resample_poly(samples.mean(axis=1), RATE // common, rate // common)


def speech(paths, seconds):
    """Recordings one after the other, with pauses, as loud as speech is in a call: -26 dBFS."""
    if paths and paths[0].suffix == ".g722":
        from G722 import G722

        pieces = [G722(16_000, 64_000).decode(path.read_bytes()) for path in paths]
        pieces = [resample_poly(np.asarray(piece) / 32_768, 3, 1) for piece in pieces]
    else:
        pieces = [sound(path) for path in paths]
    pause = np.zeros(RATE * 4 // 10)
    said = np.concatenate([part for piece in pieces for part in (piece, pause)])
    # Again from the beginning, if that is not enough.
    said = np.resize(said, seconds * RATE)
    frames = said[: len(said) // 480 * 480].reshape(-1, 480)
    loudness = np.sqrt((frames**2).mean(axis=1))
    level = np.sqrt((frames[loudness > loudness.max() / 100] ** 2).mean())
    return said * (10 ** (-26 / 20) / level)


def behind(piece, heard):
    """By how many samples `piece` is behind the beginning of `heard`, where the two fit best."""
    alike = correlate(heard, piece, mode="valid", method="fft")
    power = np.concatenate(([0.0], np.cumsum(heard.astype(float) ** 2)))
    power = np.sqrt(np.maximum(power[len(piece) :] - power[: -len(piece)], 1e-9))
    return int(np.argmax(alike / power))


def scores(said, heard):
    """Delay in ms, PESQ-WB and STOI of each piece after the warm-up."""
    heard = np.concatenate((heard, np.zeros(PIECE + LATEST)))
    for start in range(WARM, len(said) - PIECE - LATEST + 1, PIECE):
        piece = said[start : start + PIECE]
        late = behind(piece, heard[start : start + PIECE + LATEST])
        matched = heard[start + late : start + late + PIECE]
        one, other = (resample_poly(it, 1, 3).astype(np.float32) for it in (piece, matched))
        try:
            quality = pesq(16_000, one, other, "wb")
        except Exception:  # Nothing that it takes for speech is left.
            quality = 1.0
        yield late * 1_000 / RATE, quality, stoi(one, other, 16_000)


def call(task):
    """One call over one line: the figures of both directions."""
    program, path, condition, options = task
    with tempfile.TemporaryDirectory() as folder:
        given = itertools.chain(*((f"--{name}", str(value)) for name, value in condition.items()))
        run = [program, "--speech", path, "--heard", f"{folder}/heard", *given, *options]
        told = json.loads(subprocess.run(run, check=True, stdout=subprocess.PIPE).stdout)
        said = sound(path)
        other = np.roll(said, -(len(said) // 2))
        pieces = [*scores(other, sound(f"{folder}/heard-0.wav"))]
        pieces += scores(said, sound(f"{folder}/heard-1.wav"))
    delays, qualities, clear = (np.array(column) for column in zip(*pieces))
    figures = {name: np.mean([end[name] for end in told["heard"]]) for name in told["heard"][0]}
    return {
        **condition,
        **figures,
        "delay": np.median(delays),
        "delay_max": delays.max(),
        "pesq": qualities.mean(),
        "pesq_min": qualities.min(),
        "stoi": clear.mean(),
    }


def together(rows):
    """The calls over one line with different seeds as one: means, but for what is the least or
    the most."""
    ways = {"pesq_min": np.min, "delay_max": np.max, "delay": np.median}
    return {name: float(ways.get(name, np.mean)([row[name] for row in rows])) for name in rows[0]}


COLUMNS = [
    ("loss", "loss", "{:.0f} %"),
    ("burst", "in rows of", "{:.0f}"),
    ("jitter", "jitter", "{:.0f} ms"),
    ("delay", "mouth to ear, median", "{:.0f} ms"),
    ("delay_max", "longest", "{:.0f} ms"),
    ("pesq", "PESQ-WB, mean", "{:.2f}"),
    ("pesq_min", "worst", "{:.2f}"),
    ("stoi", "STOI", "{:.3f}"),
    ("concealed_pct", "made up", "{:.1f} %"),
    ("recovered_pct", "recovered", "{:.1f} %"),
    ("late_pct", "late", "{:.1f} %"),
    ("ip_kbps", "IP kbit/s", "{:.0f}"),
]


def table(rows):
    """The rows in Markdown."""
    lines = [" | ".join(head for _, head, _ in COLUMNS), " | ".join("---" for _ in COLUMNS)]
    for row in rows:
        lines.append(" | ".join(form.format(row[name]) for name, _, form in COLUMNS))
    return "".join(f"| {line} |\n" for line in lines)


def plots(rows, folder):
    """Quality over loss, and delay over jitter."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    def panels(name, of, over, what, unit, low, high):
        """A panel for each length of rows; a line for each value of `of`."""
        shown = sorted({row["burst"] for row in rows})
        figure, axes = pyplot.subplots(1, len(shown), figsize=(9, 3), sharey=True, squeeze=False)
        for axis, burst in zip(axes[0], shown):
            # On a line that loses nothing there is nothing to be lost in a row.
            here = [row for row in rows if row["burst"] == burst or row["loss"] == 0]
            for value in sorted({row[of] for row in here}):
                points = sorted((row[over], row[what]) for row in here if row[of] == value)
                axis.plot(*zip(*points), marker="o", markersize=3, label=f"{value:g} {unit[of]}")
            axis.set_title("lost by chance" if burst <= 1 else f"in rows of {burst:g}", fontsize=9)
            axis.set_xlabel(f"{over}, {unit[over]}", fontsize=8)
            axis.set_ylim(low, high)
            axis.tick_params(labelsize=8)
            axis.grid(alpha=0.3)
        axes[0][0].set_ylabel(unit[what], fontsize=8)
        axes[0][0].legend(title=of, fontsize=7, title_fontsize=7)
        figure.tight_layout()
        figure.savefig(folder / f"{name}.png", dpi=80)
        pyplot.close(figure)

    unit = {"loss": "%", "jitter": "ms", "pesq": "PESQ-WB", "delay": "mouth to ear, ms"}
    most = max(row["delay"] for row in rows) * 1.1
    panels("line-quality", "jitter", "loss", "pesq", unit, 1, 4.7)
    panels("line-delay", "loss", "jitter", "delay", unit, 0, most)


def numbers(typed):
    return [float(number) for number in typed.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="the example `line`, built")
    parser.add_argument("--speech", nargs="+", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=int, default=42, help="of speech in each call")
    parser.add_argument("--loss", type=numbers, default=LOSSES, metavar="PCT,...")
    parser.add_argument("--burst", type=numbers, default=BURSTS, metavar="PACKETS,...")
    parser.add_argument("--jitter", type=numbers, default=JITTERS, metavar="MS,...")
    parser.add_argument("--seeds", type=int, default=1, help="calls over each line")
    parser.add_argument("--jobs", type=int, default=1, help="calls at the same time")
    parser.add_argument("--plots", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--lines", default="/dev/null", metavar="JSONL", help="every call's figures")
    parser.add_argument("options", nargs="*", help="further options of the program, after --")
    given = parser.parse_args()
    least = (WARM + PIECE + LATEST) // RATE
    if given.seconds < least:
        parser.error(f"--seconds: {least} or more")
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/speech.wav"
        soundfile.write(path, speech(given.speech, given.seconds), RATE, subtype="PCM_16")
        tasks = []
        for loss, burst, jitter in itertools.product(given.loss, given.burst, given.jitter):
            if loss == 0 and burst != given.burst[0]:
                continue
            for seed in range(1, given.seeds + 1):
                line = {"loss": loss, "burst": burst, "jitter": int(jitter), "seed": seed}
                tasks.append((given.program, path, line, given.options))
        calls = []
        with multiprocessing.Pool(given.jobs) as pool, open(given.lines, "w") as lines:
            for figures in pool.imap(call, tasks):
                calls.append(figures)
                print(json.dumps(figures, default=float), file=lines, flush=True)
    lines = itertools.groupby(calls, lambda it: (it["loss"], it["burst"], it["jitter"]))
    rows = [together([*of_line]) for _, of_line in lines]
    print(table(rows), end="")
    if given.plots:
        given.plots.mkdir(parents=True, exist_ok=True)
        plots(rows, given.plots)


if __name__ == "__main__":
    main()
