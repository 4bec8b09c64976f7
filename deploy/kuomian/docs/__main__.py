"""``python -m kuomian.docs``: write every generated page of the checkout anew and say which."""

from __future__ import annotations

from kuomian.data_dir import CHECKOUT
from kuomian.docs.pages import PAGES


def main() -> None:
    for name, page in PAGES.items():
        path = CHECKOUT / "docs" / name
        text = page(path.read_text("utf-8") if path.exists() else "")
        changed = not path.exists() or path.read_text("utf-8") != text
        path.write_text(text, "utf-8")
        print(f"docs/{name}{'' if changed else ' (as before)'}")


if __name__ == "__main__":
    main()
