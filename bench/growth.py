#!/usr/bin/env python3
"""Draws how the costs grow, from the JSON of the benchmark:

    bench/growth.py FIGURES.json [PICTURE.svg]

prints a table in Markdown, and writes the picture. bench/run.sh --growth calls it.
"""

import json
import sys

PANELS = [
    ("contexts that live", ["1 live", "1k live", "1M live"], ["derive+cancel+end", "derive+cancel+end, deadline"]),
    ("levels above", ["depth 1", "depth 10", "depth 10k"], ["derive+cancel+end", "wh_err"]),
    ("threads on one parent", ["1 thread", "2 threads", "8 threads"], ["derive+cancel+end", "derive+cancel+end, deadline"]),
]
TABLE_ONLY = {"levels above": ["value"]}
COLORS = {"derive+cancel+end": "#1f6feb", "derive+cancel+end, deadline": "#b35900", "wh_err": "#2e7d32"}
WIDTH, HEIGHT, LEFT, TOP, GAP, FOOT = 230, 190, 52, 46, 62, 58


def read(path):
    with open(path, encoding="utf-8") as file:
        return {row["name"]: row["ns"] for row in json.load(file) if row.get("valid", True)}


def digits(ns):
    return f"{ns:.2f}" if ns < 10 else f"{ns:.0f}" if ns < 1000 else f"{ns:,.0f}"


def table(figures):
    for title, steps, series in PANELS:
        print(f"| {title} | " + " | ".join(step.replace("depth ", "") for step in steps) + " |")
        print("|---" * (len(steps) + 1) + "|")
        for name in series + TABLE_ONLY.get(title, []):
            cells = [figures.get(f"{name}, {step}") for step in steps]
            print(f"| {name} | " + " | ".join("-" if ns is None else digits(ns) for ns in cells) + " |")
        print()


def text(x, y, words, anchor="middle", color="#444", size=11, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}" font-size="{size}" '
            f'font-weight="{weight}">{words}</text>')


def panel(figures, at, title, steps, series, most):
    left = LEFT + at * (WIDTH + GAP)
    bottom = TOP + HEIGHT
    parts = [text(left + WIDTH / 2, TOP - 14, title, size=13, weight="bold", color="#222")]
    for i in range(5):
        ns = most * i / 4
        y = bottom - HEIGHT * i / 4
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + WIDTH}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(text(left - 6, y + 4, f"{ns:.0f}", anchor="end"))
    for i, step in enumerate(steps):
        parts.append(text(left + WIDTH * (i + 0.5) / len(steps), bottom + 16, step))
    for name in series:
        points = [(left + WIDTH * (i + 0.5) / len(steps), bottom - HEIGHT * min(figures[f"{name}, {step}"] / most, 1), step)
                  for i, step in enumerate(steps) if f"{name}, {step}" in figures]
        color = COLORS[name]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        for x, y, step in points:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>')
            parts.append(text(x, y - 8, digits(figures[f"{name}, {step}"]), color=color))
    return parts


def picture(figures):
    shown = [figures.get(f"{name}, {step}", 0) for _, steps, series in PANELS for step in steps for name in series]
    most = next(limit for limit in (100, 200, 400, 800, 1600, 1e9) if 1.1 * max(shown) <= limit)
    width = LEFT + len(PANELS) * (WIDTH + GAP) - GAP + 20
    height = TOP + HEIGHT + FOOT
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
             f'<rect width="{width}" height="{height}" fill="#fff"/>', text(12, 18, "ns", anchor="start")]
    for at, (title, steps, series) in enumerate(PANELS):
        parts += panel(figures, at, title, steps, series, most)
    x = LEFT
    for name, color in COLORS.items():
        parts.append(f'<rect x="{x}" y="{height - 22}" width="12" height="12" fill="{color}"/>')
        parts.append(text(x + 18, height - 12, name, anchor="start", size=12))
        x += 40 + 7 * len(name)
    return "\n".join(parts + ["</svg>", ""])


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    figures = read(sys.argv[1])
    table(figures)
    if len(sys.argv) == 3:
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            file.write(picture(figures))


if __name__ == "__main__":
    main()
