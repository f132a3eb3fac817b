#!/usr/bin/env python3
"""Makes the fonts that ship with the windows. See README.md beside this file.

    python3 fonts.py INTER LUCIDE

INTER and LUCIDE are the unpacked packages `inter-ui` and `lucide-static` of npm.
"""

import json
import pathlib
import sys

from fontTools import subset
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

HERE = pathlib.Path(__file__).parent
FONTS = HERE / "fonts"

# Latin with everything Vietnamese and African orthographies need, Greek, Cyrillic, combining
# marks, punctuation, currencies, letter-like signs, arrows and a few signs of mathematics.
TEXT = [
    (0x0020, 0x007E), (0x00A0, 0x024F), (0x0250, 0x02AF), (0x02B0, 0x036F), (0x0370, 0x03FF),
    (0x0400, 0x052F), (0x1E00, 0x1EFF), (0x2000, 0x206F), (0x2070, 0x209F), (0x20A0, 0x20BF),
    (0x2100, 0x214F), (0x2150, 0x218F), (0x2190, 0x2199), (0x2200, 0x22FF), (0x25A0, 0x25CF),
    (0x2713, 0x2717), (0xFFFD, 0xFFFD),
]
# A star that is filled: Lucide draws outlines only.
STAR, STAR_FILLED = "star", 0xF8FF


def named(font, family, style):
    """Gives a font a name of its own, so that a system's font of the old name is not taken."""
    for record in list(font["name"].names):
        if record.nameID in (3, 16, 17, 21, 22, 25):
            font["name"].names.remove(record)
    names = {1: family, 2: style, 4: f"{family} {style}", 6: f"{family}-{style}".replace(" ", "")}
    if style not in ("Regular", "Bold"):
        names |= {1: f"{family} {style}", 2: "Regular", 16: family, 17: style}
    for number, name in names.items():
        font["name"].setName(name, number, 3, 1, 0x409)
        font["name"].setName(name, number, 1, 0, 0)


def reduced(font, codepoints, features):
    options = subset.Options(layout_features=features, hinting=False, notdef_outline=True)
    options.name_IDs = ["*"]
    options.drop_tables += ["DSIG", "STAT"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codepoints)
    subsetter.subset(font)


def tabular(font):
    """Makes figures of one width the ones that are shown: a timer does not dance then."""
    gsub = font["GSUB"].table
    wide = {}
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag != "tnum":
            continue
        for index in record.Feature.LookupListIndex:
            for table in gsub.LookupList.Lookup[index].SubTable:
                wide |= getattr(table, "ExtSubTable", table).mapping
    for table in font["cmap"].tables:
        for digit in range(ord("0"), ord("9") + 1):
            if digit in table.cmap:
                # Subtables may share one map, which has been changed by then.
                table.cmap[digit] = wide.get(table.cmap[digit], table.cmap[digit])


def text(inter, style):
    font = TTFont(inter / "web" / f"Inter-{style}.woff2")
    font.flavor = None
    tabular(font)
    codepoints = [code for first, last in TEXT for code in range(first, last + 1)]
    # Without `calt`, which would turn `->` and `4x4` in a log into something else.
    reduced(font, codepoints, ["kern", "mark", "mkmk", "ccmp", "locl"])
    named(font, "Ramal Sans", style)
    font.save(FONTS / f"RamalSans-{style}.ttf")


def filled_star(font, glyph):
    """The outline of the star without its inner edge."""
    recording = DecomposingRecordingPen(font.getGlyphSet())
    font.getGlyphSet()[glyph].draw(recording)
    contours, pen = [], TTGlyphPen(None)
    for operation, points in recording.value:
        if operation == "moveTo":
            contours.append([])
        contours[-1].append((operation, points))
    width = lambda c: max(p[0] for _, ps in c for p in ps) - min(p[0] for _, ps in c for p in ps)
    for operation, points in max(contours, key=width):
        getattr(pen, operation)(*points)
    return pen.glyph()


def icons(lucide):
    font = TTFont(lucide / "font" / "lucide.ttf")
    codes = json.loads((lucide / "font" / "codepoints.json").read_text())
    wanted = [line.split() for line in (HERE / "icons.txt").read_text().splitlines()]
    star = font.getBestCmap()[codes[STAR]]
    font["glyf"]["star.filled"] = filled_star(font, star)
    font["hmtx"]["star.filled"] = font["hmtx"][star]
    for table in font["cmap"].tables:
        table.cmap[STAR_FILLED] = "star.filled"
    reduced(font, [codes[name] for _, name in wanted] + [STAR_FILLED], [])
    # Lucide says that every sign begins at its left edge, so narrow ones would be drawn there.
    for name, (width, _) in font["hmtx"].metrics.items():
        glyph = font["glyf"][name]
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][name] = (width, glyph.xMin)
    named(font, "Ramal Icons", "Regular")
    font.save(FONTS / "RamalIcons.ttf")
    for icon, name in wanted:
        print(f"            Self::{icon} => '\\u{{{codes[name]:x}}}',")
    print(f"            Self::FavouriteFilled => '\\u{{{STAR_FILLED:x}}}',")


inter, lucide = map(pathlib.Path, sys.argv[1:])
for style in ("Regular", "SemiBold"):
    text(inter, style)
icons(lucide)
