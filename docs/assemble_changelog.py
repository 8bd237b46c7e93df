"""Move the notes of docs/changes.d into CHANGELOG.md, as the section of a release.

python docs/assemble_changelog.py 0.3.0 2026-12-24 [PATTERN]

A note is a file `partN-topic.md`; its topic becomes the title of its paragraph. PATTERN chooses notes, all without one.
"""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
NOTES, CHANGELOG = DOCS / "changes.d", DOCS.parent / "CHANGELOG.md"
HEAD = "# Changes\n\nThe newest release first; what is not released yet stands in `docs/changes.d`.\n"


def section(version, date, notes):
    """The section of a release, a paragraph a note.

    Parameters
    ----------
    version, date : str
    notes : list of Path

    Returns
    -------
    text : str

    Examples
    --------
    >>> section("0.2.0", "2026-12-01", [])
    '## 0.2.0 (2026-12-01)\\n'
    """
    parts = [f"## {version} ({date})\n"]
    for note in notes:
        title = note.stem.partition("-")[2].replace("-", " ").capitalize()
        text = note.read_text().strip().replace("](../", "](docs/")  # CHANGELOG.md lies one folder above the notes
        parts.append(f"### {title}\n\n{text}\n")
    return "\n".join(parts)


def main(version, date, pattern="*.md"):
    """Write the section above those of earlier releases, and delete its notes."""
    notes = sorted(note for note in NOTES.glob(pattern) if note.name != "README.md")
    if not notes:
        sys.exit(f"{NOTES.name} holds no note like {pattern}: nothing to release")
    released = CHANGELOG.read_text().removeprefix(HEAD) if CHANGELOG.exists() else ""
    CHANGELOG.write_text(f"{HEAD}\n{section(version, date, notes)}{released}")
    for note in notes:
        note.unlink()


if __name__ == "__main__":
    main(*sys.argv[1:])
