#!/usr/bin/env python3
"""Draws what the experiment has written:  plot.py FOLDER  reads FOLDER/*.csv and writes FOLDER/experiment.svg.

Python's standard library alone. One picture, three panels: live workers over time, memory over time, and how long a fan-out takes.
"""

import csv
import math
import sys

WIDTH, HEIGHT = 960, 330
PANEL, TALL, LEFT, TOP, GAP = 250, 210, 60, 62, 62
COLOURS = {"without": "#c0392b", "with": "#1f6fb2"}


def rows(folder, name):
    with open(f"{folder}/{name}", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def nice(most):
    """A round number, not below most, and a step for the grid."""
    step = 10 ** math.floor(math.log10(max(most, 1e-9) / 4))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if step * factor * 4.2 >= most)
    return step * math.ceil(most / step), step


def number(value):
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


class Panel:
    def __init__(self, index, title, x_label, x_most, y_most):
        self.left, self.out = LEFT + index * (PANEL + GAP), []
        self.x_most, self.y_most = x_most, y_most
        self.text(self.left, TOP - 14, title, "title")
        self.text(self.left + PANEL / 2, TOP + TALL + 36, x_label, "axis", "middle")

    def x(self, value):
        return self.left + PANEL * value / self.x_most

    def y(self, value):
        return TOP + TALL * (1 - value / self.y_most)

    def text(self, x, y, words, kind, anchor="start"):
        self.out.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>')

    def grid(self, x_ticks, y_step):
        for i in range(round(self.y_most / y_step) + 1):
            y = self.y(i * y_step)
            self.out.append(f'<path class="grid" d="M{self.left} {y:.1f}h{PANEL}"/>')
            self.text(self.left - 6, y + 4, number(i * y_step), "axis", "end")
        for value in x_ticks:
            self.text(self.x(value), TOP + TALL + 17, number(value), "axis", "middle")

    def line(self, points, mode):
        path = "L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in points)
        self.out.append(f'<path class="line" stroke="{COLOURS[mode]}" d="M{path}"/>')


def over_time(index, samples, column, title):
    y_most, y_step = nice(max(float(row[column]) for row in samples))
    x_most, x_step = nice(max(float(row["seconds"]) for row in samples))
    panel = Panel(index, title, "seconds", x_most, y_most)
    panel.grid([i * x_step for i in range(round(x_most / x_step) + 1)], y_step)
    for mode in COLOURS:
        panel.line([(max(float(row["seconds"]), 0), float(row[column])) for row in samples if row["mode"] == mode], mode)
    return panel


def fan_out(index, percentiles):
    y_most, y_step = nice(max(float(row["without_ms"]) for row in percentiles))
    panel = Panel(index, "a fan-out of three takes, ms", "percentile", 100, y_most)
    panel.grid([0, 25, 50, 75, 100], y_step)
    for mode in COLOURS:
        panel.line([(float(row["percentile"]), float(row[f"{mode}_ms"])) for row in percentiles], mode)
    return panel


def main(folder):
    samples = rows(folder, "over-time.csv")
    panels = [over_time(0, samples, "live_workers", "live workers"), over_time(1, samples, "rss_mb", "memory of the server, MB"),
              fan_out(2, rows(folder, "fan-out.csv"))]
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
           'aria-label="Live workers, memory and the duration of a fan-out, with and without contexts">',
           "<style>text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.axis{font-size:11px;fill:#666}"
           ".grid{stroke:#ddd;stroke-width:1}.line{fill:none;stroke-width:1.8;stroke-linejoin:round}</style>",
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    for i, (mode, colour) in enumerate(COLOURS.items()):
        out.append(f'<path d="M{LEFT + 160 * i} 20h24" stroke="{colour}" stroke-width="3"/>'
                   f'<text x="{LEFT + 160 * i + 30}" y="24">{mode} contexts</text>')
    for panel in panels:
        out += panel.out
    with open(f"{folder}/experiment.svg", "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n</svg>\n")


if __name__ == "__main__":
    main(sys.argv[1])
