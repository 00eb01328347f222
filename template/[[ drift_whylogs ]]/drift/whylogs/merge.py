"""Merges profiles into one, as if their rows had been profiled together."""

import argparse
from pathlib import Path

import profiles


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profiles", type=Path, nargs="+", metavar="PROFILE")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    chosen = parser.parse_args()
    parts = [profiles.read(file) for file in chosen.profiles]
    for file, part in zip(chosen.profiles, parts, strict=True):
        print(f"{profiles.rows(part):>10,}  {file}")
    made = profiles.merged(parts)
    profiles.write(made, chosen.out)
    print(f"{profiles.rows(made):>10,}  {chosen.out}")


if __name__ == "__main__":
    main()
