"""Pictures of a run: how costs grow, or not."""

from dataclasses import dataclass, field
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator


@dataclass
class Picture:
    """What grows with what: a curve of (x, y) for each name; both axes are logarithmic."""

    file: str
    x: str
    y: str
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def add(self, name: str, x: int, y: float | None) -> None:
        """Add a point; None was not measured."""
        if y is not None:
            self.curves.setdefault(name, []).append((x, y))


def draw(picture: Picture, folder: Path) -> None:
    """Write a picture into the folder, as a PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    figure, axes = pyplot.subplots(layout="constrained")
    for name, points in picture.curves.items():
        axes.plot(*zip(*sorted(points), strict=True), marker="o", label=name)
    places = sorted({x for points in picture.curves.values() for x, _ in points})
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.xaxis.set_minor_locator(NullLocator())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.set_xlabel(picture.x)
    axes.set_ylabel(picture.y)
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(folder / picture.file)
    pyplot.close(figure)
