"""What a figure is, and how figures are shown."""

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured number, with what it is held against in the same run."""

    id: str
    what: str
    value: float | None
    unit: str
    reach: str
    baseline: float | None = None
    peer: float | None = None
    note: str = ""

    @property
    def against_baseline(self) -> float | None:
        """How many times better than the textbook form."""
        return self.baseline / self.value if self.baseline and self.value else None

    @property
    def against_peer(self) -> float | None:
        """How many times better than the peer."""
        return self.peer / self.value if self.peer and self.value else None


def machine(limits: str) -> dict[str, str]:
    """Return what the figures were measured on."""
    cpu = next(
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    libraries = ("Django", "uvicorn", "uvloop", "channels", "channels-redis", "daphne", "psycopg")
    return {
        "machine": f"{cpu}, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": ", ".join(f"{name} {version(name)}" for name in libraries),
        "LIMITS": limits,
    }


def table(figures: Iterable[Figure], about: dict[str, str]) -> str:
    """Return the Markdown table of a run."""
    lines = [f"- {name}: {value}" for name, value in about.items()]
    lines += [
        "",
        "| # | figure | measured | to reach | textbook | ratio | Socket.IO | ratio | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {f.id} | {f.what} | {_shown(f.value, f.unit)} | {f.reach} | "
        f"{_shown(f.baseline, f.unit) if f.baseline else ''} | {_ratio(f.against_baseline)} | "
        f"{_shown(f.peer, f.unit) if f.peer else ''} | {_ratio(f.against_peer)} | {f.note} |"
        for f in figures
    ]
    return "\n".join(lines)


def to_json(figures: Iterable[Figure], about: dict[str, str]) -> str:
    """Return a run as JSON: every figure with its unit, baseline, peer and ratios."""
    rows = [
        asdict(f) | {"against_baseline": f.against_baseline, "against_peer": f.against_peer}
        for f in figures
    ]
    return json.dumps({"about": about, "figures": rows}, indent=1)


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return "not measured"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} x"
