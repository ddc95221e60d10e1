"""Look at a page as axe-core does: in both colour schemes, on a small screen and a wide one. Spec: WCAG 2.2 AA."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from playwright.sync_api import Page

WIDTHS = (320, 1280)
Scheme: TypeAlias = Literal["light", "dark"]
LOOKED_FOR: Mapping[Scheme, Mapping[str, object]] = {
    "light": {"rules": {"target-size": {"enabled": True}}},  # axe-core leaves it out unless it is asked
    "dark": {"runOnly": ["color-contrast", "link-in-text-block"]},  # all that colours can change
}


def findings(page: Page, axe: str) -> Iterator[tuple[Any, ...]]:
    """Whatever is amiss with a page as it stands: what axe finds, and what is wider than the screen."""
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    page.evaluate(axe)
    for scheme, options in LOOKED_FOR.items():
        page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            place = page.url.partition("/console")[2], scheme, width
            if page.evaluate("document.documentElement.scrollWidth") > width:
                yield *place, "wider than the screen"
            for violation in page.evaluate("options => axe.run(document, options)", options)["violations"]:
                for node in violation["nodes"]:
                    yield *place, violation["id"], str(node["target"]), node["failureSummary"]
