"""Draws bench/breaking-point's rows: the share of errors and p95 against the rate of requests.

users_charts.py ROWS FOLDER
"""

import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

import users_tables

COLOURS = {"direct": "#c0392b", "pgweir": "#1f6fb2"}
MARKERS = {"direct": "s", "pgweir": "o"}
NAMES = {"direct": "direct, pool of 10 + 20", "pgweir": "pgweir, 30 backends"}
RATES = (10, 20, 30, 60, 150, 360, 600, 1000, 1700, 3000, 5000, 10000)


def new_chart(title, of):
    pyplot.rcParams.update({"font.size": 11, "svg.fonttype": "none", "svg.hashsalt": "pgweir",
                            "font.family": "DejaVu Sans"})
    figure, axes = pyplot.subplots(figsize=(8, 4.2), layout="constrained")
    axes.set_title(title, loc="left", fontsize=12)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(RATES))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:,.0f}"))
    axes.tick_params(axis="x", labelrotation=30)
    axes.set_xlabel("requests due a second")
    axes.set_ylabel(of)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def draw(axes, rows, value):
    for target, name in NAMES.items():
        points = sorted((row["offered"], value(row)) for row in rows
                        if row["target"] == target and value(row) is not None)
        if points:
            axes.plot(*zip(*points), marker=MARKERS[target], markersize=5, linewidth=1.8,
                      color=COLOURS[target], label=name)


def put_legend(axes):
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.01, 0.99), ncols=2, fontsize=10)


def save(figure, folder, name):
    figure.savefig(f"{folder}/breaking-point-{name}.svg", metadata={"Date": None})


def draw_errors(rows, folder):
    figure, axes = new_chart("Requests that fail", "share of the requests")
    draw(axes, rows, users_tables.error_share)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
    axes.set_ylim(-0.03, 1.03)
    put_legend(axes)
    save(figure, folder, "errors")


def draw_p95(rows, folder):
    figure, axes = new_chart("p95 of those that are done", "ms, less the work")
    draw(axes, rows, lambda row: row["p95"])
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.axhline(users_tables.P95_MS, color="#555555", linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(f"limit: {users_tables.P95_MS} ms", (10, users_tables.P95_MS),
                  xytext=(0, 4), textcoords="offset points", color="#555555", fontsize=9)
    put_legend(axes)
    save(figure, folder, "p95")


if __name__ == "__main__":
    phases = users_tables.phases(users_tables.read_rows(sys.argv[1]))
    draw_errors(phases, sys.argv[2])
    draw_p95(phases, sys.argv[2])
