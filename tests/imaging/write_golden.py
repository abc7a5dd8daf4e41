"""Writes the references of the golden tests anew: `python -m tests.imaging.write_golden`.

Look at what changed (`git diff` shows which) before you commit it.
"""

from tests.imaging.golden_cases import CASES, FOLDER, drawn


def main() -> None:
    """Write a reference a case, and remove those of cases that are no more."""
    FOLDER.mkdir(exist_ok=True)
    for left in set(FOLDER.glob("*.png")) - {case.path for case in CASES}:
        left.unlink()
    for case in CASES:
        drawn(case).save(case.path, optimize=True)


if __name__ == "__main__":
    main()
