"""Pictures of what people would rather look at than read, as SVG without scripts, fonts or anything from elsewhere."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date
from xml.etree import ElementTree

Points = Mapping[date, float]
"""Day -> value; days without one are gaps."""

WIDTH, HEIGHT = 760, 320
DECIMALS = 2
COLOURS = ("#2f6f4f", "#c8553d", "#33658a", "#b8860b", "#6d597a", "#3d5a80", "#7a9e3f", "#9d4edd")
"""One a person; told apart in grey, too."""


LIT = ("#7fd1a6", "#f2a18c", "#8fc3ea", "#e8c267", "#c9b3dc", "#a9c4e4", "#bfe08a", "#d3a5ff")
"""The same on a dark paper."""
LIGHT = ("white", "#333333", "#e4e4e4", "#cccccc")
DARK = ("#1b211e", "#dfe6e2", "#2f3833", "#4a554f")
"""Paper, ink, faint and strong guides."""
MOST_COLUMNS = 8


def lines(
    title: str,
    unit: str,
    series: Mapping[str, Points],
    *,
    beside: Mapping[str, Mapping[str, Points]] | None = None,
    width: int = WIDTH,
    dark: bool = False,
) -> str:
    """Days from left to right, a line a name; `beside` the series of the same name, what it is called there, dashed."""
    import pygal  # type: ignore[import-untyped]
    from pygal.etree import etree  # type: ignore[import-untyped]
    from pygal.style import Style  # type: ignore[import-untyped]

    etree.to_etree()  # pygal takes lxml where that is installed: the standard library cannot write its elements
    drawn = [(name, points, "") for name, points in series.items()]
    drawn += [(name, points, what) for what, aside in (beside or {}).items() for name, points in aside.items()]
    days = sorted({day for _, points, _ in drawn for day in points})
    names = list(dict.fromkeys(name for name, *_ in drawn))
    paper, ink, faint, strong = DARK if dark else LIGHT
    colours = {name: (LIT if dark else COLOURS)[n % len(COLOURS)] for n, name in enumerate(names)}
    chart = pygal.Line(
        width=width,
        height=HEIGHT,
        title=f"{title} ({unit})",
        style=Style(
            background=paper,
            plot_background=paper,
            foreground=ink,
            foreground_strong=ink,
            foreground_subtle=ink,
            colors=tuple(colours[name] for name, *_ in drawn),
            font_family="sans-serif",
            guide_stroke_color=faint,
            major_guide_stroke_color=strong,
            guide_stroke_dasharray="none",
            major_guide_stroke_dasharray="none",
        ),
        x_labels=[f"{day:%a %d %b}" for day in days],
        x_label_rotation=30,
        truncate_legend=-1,
        legend_at_bottom=True,
        legend_at_bottom_columns=min(len(drawn), 2 if width < WIDTH else MOST_COLUMNS),
        max_scale=7,
        dots_size=2.5,
        stroke_style={"width": 2},
        no_prefix=True,
    )
    for name, points, what in drawn:
        how = {"stroke_style": {"width": 2, "dasharray": "6, 5"}, "show_dots": False} if what else {}
        chart.add(f"{name}, {what}" if what else name, [_shown(points.get(day)) for day in days], **how)
    tree = chart.render_tree()
    for parent in list(tree.iter()):
        for child in list(parent):
            if child.tag in ("script", "desc", "title") and child is not tree:  # for a mouse that is not there
                parent.remove(child)
    return ElementTree.tostring(tree, encoding="unicode")


def _shown(value: float | None) -> float | None:
    """Not finer than anybody sees: pygal looks without end for marks between values that differ by a rounding."""
    return value if value is None else round(value, DECIMALS)


def data_uri(svg: str) -> str:
    """The picture as an address that holds it."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def series_of(rows: Sequence[tuple[str, date, float]]) -> dict[str, dict[date, float]]:
    """(name, day, value) as series, names in their order of appearance."""
    series: dict[str, dict[date, float]] = {}
    for name, day, value in rows:
        series.setdefault(name, {})[day] = value
    return series
