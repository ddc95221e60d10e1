"""The style sheet: contrast is computed from its tokens, the only colours. Spec: WCAG 2.2, 1.4.3 and 1.4.11."""

import hashlib
import re

import pytest

from app.console.templates import FOLDER, STATIC, addresses, environment

STYLE = (STATIC / "console.css").read_text()
HTMX = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
"""SHA-256 of htmx 2.0.11's `dist/htmx.min.js`, as it was published."""

GROUNDS = ("paper", "raised", "sunk")
TEXTS = ("ink", "quiet", "accent", "good", "warn", "bad")


def tokens(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{([^}]*)\}", STYLE)[:2]
    pairs = re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", light) + (
        re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", dark) if scheme == "dark" else []
    )
    return dict(pairs)


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_the_guidelines_do() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((text, ground) for text in TEXTS for ground in GROUNDS),
        ("on-accent", "accent"),
        ("raised", "bad"),
        ("accent", "accent-wash"),
        ("quiet", "accent-wash"),
        *(("ink", f"{name}-wash") for name in ("accent", "good", "warn", "bad")),
        *((name, f"{name}-wash") for name in ("good", "warn", "bad")),
        ("accent", "good-wash"),
        ("accent", "warn-wash"),
        ("accent", "bad-wash"),
        ("bad", "sunk"),
    ],
)
def test_text_stands_out_from_its_ground(scheme: str, text: str, ground: str) -> None:
    found = tokens(scheme)
    assert contrast(found[text], found[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_edges_of_what_can_be_filled_in_stand_out(scheme: str, ground: str) -> None:
    found = tokens(scheme)
    assert contrast(found["edge"], found[ground]) >= 3
    assert contrast(found["accent"], found[ground]) >= 3  # the ring around what has the focus


def test_every_colour_is_a_token() -> None:
    on_screen = STYLE.partition("@media print")[0]
    rules = re.sub(r":root \{[^}]*\}", "", on_screen)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb|hsl", rules) == []
    used = set(re.findall(r"var\(--([a-z-]+)\)", STYLE))
    assert used - set(tokens("light")) == {"sans", "mono"}


def test_no_page_has_a_script_or_a_style_of_its_own() -> None:
    for page in sorted((FOLDER / "pages").glob("*.html")):
        text = page.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe|autoescape", text), page.name
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), page.name


def test_every_template_can_be_read_and_escapes() -> None:
    made = environment()
    for name in made.list_templates():
        made.get_template(name)
    assert made.from_string("{{ x }}").render(x="<b>") == "&lt;b&gt;"


def test_htmx_is_as_it_was_published() -> None:
    (file,) = STATIC.glob("htmx-*.min.js")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == HTMX
    assert (STATIC / "htmx-LICENSE").exists()


def test_what_a_page_loads_is_small() -> None:
    assert len(STYLE.encode()) < 20_000
    assert set(addresses()) == {file.name for file in STATIC.iterdir()}
