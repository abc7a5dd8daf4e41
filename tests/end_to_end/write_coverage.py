"""Write what is served of the vendors' references into their pages."""

import tempfile
from pathlib import Path

import httpx

from tests.end_to_end.asking import asking
from tests.end_to_end.coverage import DOCS, VENDORS, section, written
from tests.running import running


def main() -> None:
    """Try everything on a service of its own, and write the tables."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "library", "demo") as demo,
        httpx.Client(base_url=demo.base_url, timeout=60) as http,
    ):
        for vendor, rows in VENDORS.items():
            page = DOCS / f"{vendor}.md"
            text = page.read_text()
            tried = written(rows(asking(demo, http, f"coverage-{vendor}")))
            present = section(text)
            page.write_text(text.replace(present, tried) if present else f"{text}\n{tried}")


if __name__ == "__main__":
    main()
