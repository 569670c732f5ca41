#!/usr/bin/env python3
"""Writes unicode_tables.h beside it from this Python's Unicode character database:
tools/prepare/encode/unicode_tables.py."""
import pathlib
import sys
import unicodedata

HEAD = """#pragma once
// Written by unicode_tables.py from the Unicode character database %s: do not edit.
// What BERT's basic tokenizer asks of Unicode, of all planes. ASCII and Hangul go by arithmetic (unicode.cc).
#include <cstdint>

namespace dyad::encode {

struct Range { std::uint32_t first, last; };

"""
HANGUL = range(0xAC00, 0xD7A4)


def characters():
    return (chr(c) for c in range(0x80, sys.maxunicode + 1) if not 0xD800 <= c < 0xE000)


def bare(c):
    return "".join(d for d in unicodedata.normalize("NFD", c) if unicodedata.category(d) != "Mn")


def words(name, comment, become):
    """A word for each character that becomes another: it, and what it becomes."""
    found = [c + become(c) for c in characters()
             if become(c) != c and ord(c) not in HANGUL and unicodedata.category(c) not in ("Mn", "Zs")]
    lines, line = [], ""
    for word in found:
        width = sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in line + word) + 8
        if width > 110:
            lines.append(line)
            line = ""
        line += word + " "
    lines.append(line.rstrip())
    return "%s\ninline constexpr char %s[] =\n%s;\n" % (comment, name, "\n".join('    "%s"' % text for text in lines))


def ranges(name, is_in):
    found = []
    for c in range(0x80, sys.maxunicode + 1):
        if not is_in(unicodedata.category(chr(c))):
            continue
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    lines, line = [], "   "
    for first, last in found:
        item = " {0x%x, 0x%x}," % (first, last)
        if len(line + item) > 119:
            lines.append(line)
            line = "   "
        line += item
    return "inline constexpr Range %s[] = {\n%s\n};\n" % (name, "\n".join(lines + [line]))


def main():
    text = HEAD % unicodedata.unidata_version
    text += "// Words of a character and what it becomes.\n"
    text += words("kBare", "// Canonical decomposition without non-spacing marks.", bare)
    text += words("kLower", "// Lower case.", str.lower)
    text += ranges("kPunctuation", lambda category: category[0] == "P")
    text += ranges("kMarks", lambda category: category == "Mn")
    text += ranges("kControls", lambda category: category in ("Cc", "Cf", "Co", "Cs"))
    text += "\n}  // namespace dyad::encode\n"
    pathlib.Path(__file__).with_name("unicode_tables.h").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
