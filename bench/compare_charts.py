"""compare_charts.py ROWS DISTURBED FOLDER: the charts of bench/compare's page, as SVG.

Bars are medians, with a line from the smallest to the largest round. pgpool's would dwarf the others:
they are cut where they do, and say their figure. Needs matplotlib, but only to draw.
"""

import pathlib
import statistics
import sys
from typing import NamedTuple

from compare_rows import SUBJECTS, read_rows, targets_of


class Chart(NamedTuple):
    file: str
    title: str
    subject: str
    metric: str         # of a Run
    split: bool = False  # "simple, 16 clients" is the group "16" in a panel "simple"


CHARTS = (
    Chart("compare-cpu.svg", "CPU a query, by clients", "protocols", "cpu", True),
    Chart("compare-throughput.svg", "Throughput, by clients", "protocols", "rate", True),
    Chart("compare-pipelines.svg", "Pipelines of 20: CPU a statement", "pipelines", "cpu"),
    Chart("compare-logins.svg", "CPU a login", "logins", "cpu"),
    Chart("compare-results.svg", "CPU a gigabyte of large results", "results", "cpu"),
    Chart("compare-idle.svg", "Memory an idle client", "idle", "memory"),
    Chart("compare-cache.svg", "CPU a query, passed on and from a cache", "cache", "cpu"),
    Chart("compare-routing.svg", "CPU a query, by the number of nodes", "routing", "cpu"),
)

COLOURS = {"direct": "#bab0ac", "relay": "#9c755f", "haproxy": "#edc948", "pgbouncer": "#e15759",
           "pgbouncer-new": "#ff9da7", "pgpool": "#b07aa1", "pgweir": "#4e79a7", "pgweir-2": "#76b7b2",
           "cached": "#59a14f", "echo": "#79706e", "one-shard": "#76b7b2", "four-shards": "#59a14f",
           "fresh": "#76b7b2", "seasoned": "#4e79a7"}


def scale_of(chart):
    subject = SUBJECTS[chart.subject]
    if chart.metric == "rate":
        return subject.rate_scale, subject.rate_unit
    return subject.cpu_scale, subject.cpu_unit


def panels_of(chart, loads):
    """{panel: {group: Load}}"""
    if not chart.split:
        return {"": loads}
    panels = {}
    for name, load in loads.items():
        panel, _, group = name.partition(", ")
        panels.setdefault(panel, {})[group.replace(" clients", "").replace(" client", "")] = load
    return panels


def height_of(panels, targets, value):
    """Enough for all but pgpool."""
    tops = [max(values) for groups in panels.values() for load in groups.values()
            for target in targets if target != "pgpool" and (values := load.values(target, value))]
    return 1.15 * max(tops, default=1)


def draw_bars(axes, groups, targets, value, height):
    width = 0.84 / len(targets)
    for place, target in enumerate(targets):
        for group, load in enumerate(groups.values()):
            values = load.values(target, value)
            if not values:
                continue
            median = statistics.median(values)
            x = group - 0.42 + width * (place + 0.5)
            axes.bar(x, min(median, height), width * 0.92, color=COLOURS[target])
            if median > height:
                axes.text(x, height * 0.97, f"{median:.0f}", rotation=90, ha="center", va="top",
                          fontsize=7, color="white")
            else:
                axes.vlines(x, min(values), min(max(values), height), color="black", linewidth=0.8)


def draw(pyplot, chart, loads, folder):
    scale, unit = scale_of(chart)

    def value(run):
        found = getattr(run, chart.metric)
        return found / scale if found else None

    targets = [t for t in targets_of(loads) if any(l.values(t, value) for l in loads.values())]
    if not targets:
        return
    panels = panels_of(chart, loads)
    height = height_of(panels, targets, value)
    figure, all_axes = pyplot.subplots(len(panels), 1, figsize=(9, 1.1 + 2.4 * len(panels)),
                                       squeeze=False)
    for axes, (panel, groups) in zip(all_axes[:, 0], panels.items()):
        draw_bars(axes, groups, targets, value, height)
        names = [name.replace(", ", ",\n") + load.mark for name, load in groups.items()]
        axes.set_xticks(range(len(groups)), names, fontsize=8)
        axes.tick_params(axis="y", labelsize=8)
        axes.set_xlim(-0.5, len(groups) - 0.5)
        axes.set_ylim(0, height)
        axes.set_ylabel(unit, fontsize=8)
        axes.set_title(panel, fontsize=10, loc="left")
        axes.grid(axis="y", linewidth=0.4, alpha=0.6)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    if chart.split:
        all_axes[-1, 0].set_xlabel("clients", fontsize=9)
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=COLOURS[t]) for t in targets]
    figure.suptitle(chart.title, fontsize=12, x=0.02, ha="left")
    figure.legend(handles, targets, ncol=len(targets), fontsize=8, frameon=False, loc="lower center")
    figure.tight_layout(rect=(0, 0.25 / figure.get_figheight(), 1, 1))
    figure.savefig(folder / chart.file, metadata={"Date": None})
    pyplot.close(figure)


def main():
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "pgweir"
    matplotlib.rcParams["font.family"] = "DejaVu Sans"
    from matplotlib import pyplot

    subjects = read_rows(sys.argv[1], float(sys.argv[2]))
    folder = pathlib.Path(sys.argv[3])
    for chart in CHARTS:
        if chart.subject in subjects:
            draw(pyplot, chart, subjects[chart.subject], folder)


if __name__ == "__main__":
    main()
