"""How far one profile is from another, column by column; 0 is alike, 1 has nothing in common."""

import argparse
from pathlib import Path

import profiles


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("now", type=Path)
    chosen = parser.parse_args()
    found = profiles.distances(profiles.read(chosen.now), profiles.read(chosen.before))
    for name, one in sorted(found.items(), key=lambda pair: -pair[1]["score"]):
        print(f"{one['score']:.3f}  {name} ({one['distance']})")


if __name__ == "__main__":
    main()
