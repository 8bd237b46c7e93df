"""What the documentation says runs: every Python snippet of README and docs, every doctest, every link to a file."""

import doctest
import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)[^)]*\)")
DOCTESTED = [path for path in sorted((ROOT / "skauto").rglob("*.py")) if ">>> " in path.read_text()]


def blocks(page, language):
    """(line, text) of the fenced blocks of a page in one language, "" for shell."""
    text = page.read_text()
    found = [match for match in FENCE.finditer(text) if match.group(1) == language]
    return [(text.count("\n", 0, match.start()) + 1, match.group(2)) for match in found]


def label(path):
    """A page's path as the name of its test."""
    return str(path.relative_to(ROOT))


@pytest.mark.slow
@pytest.mark.filterwarnings("default:no trial was evaluated:UserWarning")  # a busy machine may not get that far
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=label)
def test_snippets_run(page, tmp_path, monkeypatch):
    """The snippets of a page run in its order and share their names, as those of a script do."""
    monkeypatch.chdir(tmp_path)
    script = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", script)
    for line, code in blocks(page, "python"):
        exec(compile("\n" * line + code, str(page), "exec"), vars(script))


@pytest.mark.parametrize("path", DOCTESTED, ids=label)
def test_doctests(path):
    """The examples of one file, with warnings as errors as everywhere in the tests."""
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failures, attempted = doctest.testmod(module, optionflags=options)
    assert attempted
    assert failures == 0


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_links_lead_to_files(page):
    assert [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []


def test_every_page_can_be_found_from_the_index():
    seen, todo = set(), [ROOT / "docs" / "index.md"]
    while todo:
        page = todo.pop()
        if page not in seen:
            seen.add(page)
            links = [(page.parent / link).resolve() for link in LINK.findall(page.read_text())]
            todo += [p for link in links for p in ([link] if link.suffix == ".md" else sorted(link.glob("*.md")))]
    lost = set(PAGES[1:]) - seen
    assert [label(p) for p in sorted(lost) if p.parent.name != "changes.d"] == []


def test_the_command_line_in_the_docs_exists():
    from skauto._cli import _parser

    known = next(a for a in _parser()._actions if a.choices).choices
    shells = [text for page in PAGES for _, text in blocks(page, "")]
    used = {command for text in shells for command in re.findall(r"^skauto (\w+)", text, re.MULTILINE)}
    assert used
    assert used <= set(known)
