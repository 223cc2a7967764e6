"""Writes src/address/stringprep.generated.ts from the tables of RFC 3454 as Python has them. Run it by hand; they never change."""

import stringprep as sp
import unicodedata
from pathlib import Path

PROHIBITED = [
    sp.in_table_a1, sp.in_table_b1, sp.in_table_c12, sp.in_table_c21_c22, sp.in_table_c3, sp.in_table_c4,
    sp.in_table_c5, sp.in_table_c6, sp.in_table_c7, sp.in_table_c8, sp.in_table_c9,
]


def usable(c):
    if any(table(c) for table in PROHIBITED):
        return False
    # Under the NFKC of then and of today.
    return unicodedata.ucd_3_2_0.normalize("NFKC", c) == c and unicodedata.normalize("NFKC", c) == c


def ranges(holds):
    found, start = [], None
    for code in range(0x110001):
        inside = code < 0x110000 and not 0xD800 <= code <= 0xDFFF and holds(chr(code))
        if inside and start is None:
            start = code
        if not inside and start is not None:
            found.append((start, code - 1))
            start = None
    return found


def base36(number):
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
        if number == 0:
            return digits


def encoded(found):
    parts, end = [], 0
    for first, last in found:
        parts.append(base36(first - end) + ("-" + base36(last - first) if last > first else ""))
        end = last
    return " ".join(parts)


TABLES = [
    ("usableInResources", usable,
     "Code points that resourceprep (RFC 6122 appendix B) leaves as they are: assigned in Unicode 3.2 (RFC 3454 table A.1),\n"
     " * not mapped to nothing (B.1), not prohibited (C.1.2, C.2 to C.9), the same under NFKC."),
    ("rightToLeft", sp.in_table_d1, "RFC 3454 table D.1: characters of bidirectional category R or AL."),
    ("leftToRight", sp.in_table_d2, "RFC 3454 table D.2: characters of bidirectional category L."),
]

lines = [
    "// Written by tools/generate-stringprep.py: do not edit. Each entry is a range: its distance from the end of the one",
    "// before, and its length less one where it is longer than one code point, both in base 36.",
]
for name, holds, what in TABLES:
    lines += ["", "/**", " * " + what, " */", "export const %s =" % name, '  "%s";' % encoded(ranges(holds))]
target = Path(__file__).parent.parent / "src" / "address" / "stringprep.generated.ts"
target.write_text("\n".join(lines) + "\n")
