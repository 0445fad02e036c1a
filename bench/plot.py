"""Pictures of a run: how costs grow, or not."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot


def plot(curves: dict[str, list[tuple[int, float]]], folder: Path) -> None:
    """Write one PNG for each curve into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, points in curves.items():
        figure, axes = pyplot.subplots()
        axes.plot(*zip(*points, strict=True), marker="o")
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.set_title(name)
        figure.savefig(folder / f"{name.split(' (')[0].replace(' ', '-').lower()}.png")
        pyplot.close(figure)
