"""The HTML report in a browser, where one is installed: nothing runs out of the page, and the summary prints on two."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from plainview.report.render import render
from sample_report import many_tables, sample

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MEASURE = """<script>
addEventListener('load', () => {
  const ready = performance.now(), wide = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll('main *')].filter(e => !e.closest('pre') && !e.closest('.away')
    && !e.closest('thead') && e.getClientRects().length && e.getBoundingClientRect().right > wide + 1);
  const told = JSON.stringify({wide, out: out.map(e => e.tagName + '.' + e.className),
    scroll: document.documentElement.scrollWidth, ready,
    dark: matchMedia('(prefers-color-scheme: dark)').matches});
  if (parent === window) document.body.textContent = told; else parent.postMessage(told, '*');
});
</script>"""
FRAME = """<!DOCTYPE html><body><script>
addEventListener('message', told => { document.body.textContent = told.data; });
</script><iframe src="page.html" width="WIDTH" height="900" style="border: 0"></iframe>"""  # windows are 500 at least
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def chromium(folder: Path, *words: str) -> str:
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}",
    ]
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False, timeout=120, cwd=folder)
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout


def measured(page: str, folder: Path, width: int, *words: str) -> dict[str, object]:
    """Return what the page says of its own layout in a frame of a width, 0: in a window.

    For this alone its policy against script is taken out.
    """
    open_page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page).replace(
        "</body>", f"{MEASURE}</body>"
    )
    (folder / "page.html").write_text(open_page)
    if not width:
        dom = chromium(folder, "--window-size=1400,900", "--dump-dom", f"file://{folder / 'page.html'}")
        return _told(dom)
    (folder / "frame.html").write_text(FRAME.replace("WIDTH", str(width)))
    words = ("--window-size=1600,1000", "--virtual-time-budget=60000", *words, "--dump-dom")
    dom = chromium(folder, *words, f"file://{folder / 'frame.html'}")
    return _told(dom)


def _told(dom: str) -> dict[str, object]:
    found = re.search(r"\{.*\}", html.unescape(dom.partition("<body")[2]), re.DOTALL)
    assert found, dom[-500:]
    told: dict[str, object] = json.loads(found[0])
    return told


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 800, 1400])
def test_nothing_runs_out_of_the_page(width: int, dark: bool, tmp_path: Path) -> None:
    scheme = [f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
    told = measured(render(sample(), "html"), tmp_path, width, *scheme)
    assert told["wide"] == width
    assert told["dark"] == dark
    assert told["out"] == []
    assert told["scroll"] == width


def test_what_runs_out_of_the_page_is_seen(tmp_path: Path) -> None:
    page = render(sample(), "html").replace('<section id="summary"', '<div class="wide">x</div><section id="summary"')
    told = measured(page.replace("</style>", ".wide { width: 500px }</style>"), tmp_path, 390)
    assert told["out"] == ["DIV.wide"]


def test_twenty_thousand_tables_open_in_two_seconds(tmp_path: Path) -> None:
    told = measured(render(many_tables(20_000), "html"), tmp_path, 0)
    assert float(str(told["ready"])) < 2_000


def test_the_printed_summary_is_two_pages_and_the_annex_follows(tmp_path: Path) -> None:
    if not (tool := shutil.which("pdftotext")):
        pytest.skip("pdftotext is not installed")
    (tmp_path / "page.html").write_text(render(sample(), "html"))
    chromium(
        tmp_path,
        "--no-pdf-header-footer",
        f"--print-to-pdf={tmp_path / 'page.pdf'}",
        f"file://{tmp_path / 'page.html'}",
    )
    text = subprocess.run(
        [tool, "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    pages = text.split("\f")
    first = next(number for number, page in enumerate(pages) if "For the data protection officer" in page)
    assert 1 <= first <= 2, "after one or two pages of summary"
    assert "Summary" in pages[0]
