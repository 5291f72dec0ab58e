"""Make the tables of README.md and the pictures in docs/ from results.json: `python benchmarks/report.py`.

Nothing is measured here, and no figure in those tables and pictures is written by hand.
"""

import json
import re
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
NAMES = {
    "two_convolutions": "two convolutions, 1×28×28",
    "lenet": "LeNet-5, 1×28×28",
    "colour": "four convolutions, 3×32×32",
}
STYLES = {
    "the products alone": ("#777777", "|"),
    "cnnlib.fast": ("#0072B2", "o"),
    "PyTorch, channels_last": ("#E69F00", "s"),
    "PyTorch": ("black", "D"),
    "cnnlib.layers": ("#009E73", "^"),
    "textbook's im2col": ("#CC79A7", "v"),
}


def load():
    return json.loads((HERE / "results.json").read_text(encoding="utf-8"))


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def times(found, first, labels):
    """A table of milliseconds, and in brackets the ratio to PyTorch as it comes."""
    ways = list(dict.fromkeys(way for row in found for way in row["ms"]))
    ways = [w for w in ("PyTorch", *STYLES) if w in ways] + [w for w in ways if w not in STYLES]
    ways = list(dict.fromkeys(ways))

    def cell(ms, way):
        if way not in ms:
            return "–"
        return (
            f"{ms[way]:.3g} ({ms[way] / ms['PyTorch']:.2f})" if ms[way] < 1e4 else f"{ms[way]:.0f}"
        )

    rows = [
        [*label, *(cell(row["ms"], way) for way in ways)]
        for label, row in zip(labels, found, strict=True)
    ]
    return table([*first, *ways], rows)


def machine(part):
    m = part["machine"]
    return (
        f"Measured on: {m['cpu']}, {m['system']}; {m['blas']}; one thread for each product; "
        f"Python {m['python']}, NumPy {m['numpy']}, PyTorch {m['torch']}."
    )


def sections(results):
    """Return each table of README.md by its name."""
    made = {}
    if "steps" in results:
        found = results["steps"]["found"]
        labels = [(NAMES[row["network"]], row["batch"]) for row in found]
        made["steps"] = times(found, ["network", "batch"], labels)
    if "layers" in results:
        found = results["layers"]["found"]
        labels = [(row["layer"], shape(row["x"])) for row in found]
        made["layers"] = times(found, ["layer", "x"], labels)
    if "memory" in results:
        rows = [(way, f"{MB:.0f}") for way, MB in results["memory"]["found"][0]["MB"].items()]
        made["memory"] = table(["layers", "peak, MB"], rows)
    if "threads" in results:
        rows = [
            (NAMES[row["network"]], row["batch"], *row["ms"].values(), f"{saved(row['ms']):.2f}")
            for row in results["threads"]["found"]
        ]
        head = ["network", "batch", "one thread, ms", "two threads, ms", "times as quick"]
        made["threads"] = table(head, rows)
    if "fashion" in results:
        columns = ["layers", "epochs", "peak", "seed", "accuracy", "wall_s", "cpu_s"]
        rows = [[row[name] for name in columns] for row in results["fashion"]["found"]]
        head = ["layers", "epochs", "rate", "seed", "accuracy", "wall s", "CPU s"]
        made["fashion"] = table(head, rows)
    return {name: f"{text}\n\n{machine(results[name])}" for name, text in made.items()}


def saved(ms):
    one, two = ms.values()
    return one / two


def shape(x):
    return "×".join(map(str, x))


def sentence(results):
    """Return what the course's README says of it."""
    steps = results["steps"]["found"]
    ratios = [row["ms"]["cnnlib.fast"] / row["ms"]["PyTorch"] for row in steps]
    return (
        f"A training step with `cnnlib.fast`, NumPy alone, takes {min(ratios):.2f} to {max(ratios):.2f} "
        "times as long as one of PyTorch"
    )


def speed(results):
    """Draw the steps: how long each way takes, as a multiple of PyTorch's time."""
    found = results["steps"]["found"]
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    panels = figure.subplots(1, len(NAMES), sharex=True, sharey=True)
    for axes, (network, title) in zip(panels, NAMES.items(), strict=True):
        rows = [row for row in found if row["network"] == network]
        for way, (colour, marker) in STYLES.items():
            ratios = [row["ms"][way] / row["ms"]["PyTorch"] for row in rows]
            axes.plot(
                ratios,
                range(len(rows)),
                marker,
                color=colour,
                label=way,
                markersize=7,
                zorder=2 + (way == "cnnlib.fast"),
            )
        axes.axvline(1, color="black", linewidth=0.8, zorder=0)
        axes.set(xscale="log", xlim=(0.08, 12), title=title)
        axes.set_xticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
        axes.set_yticks(range(len(rows)), [f"batch {row['batch']}" for row in rows])
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.minorticks_off()
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    panels[1].set_xlabel("time of a training step, as a multiple of PyTorch's (left is quicker)")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=8.5
    )
    m = results["steps"]["machine"]
    figure.suptitle(f"{m['cpu']}; {m['blas']}; one thread", fontsize=9, color="#555555")
    return figure


def growth(results):
    """Draw how the cost of a convolution grows."""
    found = results["growth"]["found"]
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    axis = {"batch": 0, "channels": 1, "size": 2}
    label = {"batch": "pictures", "channels": "channels in and out", "size": "rows and columns"}
    for axes, (varies, which) in zip(panels, axis.items(), strict=True):
        rows = [row for row in found if row["varies"] == varies]
        values = [row["x"][which] for row in rows]
        for way, (colour, marker) in STYLES.items():
            axes.plot(
                values,
                [row["ms"][way] for row in rows],
                marker=marker,
                color=colour,
                label=way,
                markersize=5,
                linewidth=1,
            )
        axes.set(xscale="log", yscale="log", xlabel=label[varies])
        axes.set_xticks(values, map(str, values))
        axes.minorticks_off()
        axes.grid(color="#dddddd", linewidth=0.6)
    panels[0].set_ylabel("ms, there and back")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=8.5
    )
    m = results["growth"]["machine"]
    figure.suptitle(f"{m['cpu']}; {m['blas']}; one thread", fontsize=9, color="#555555")
    return figure


PICTURES = {"steps": ("speed.svg", speed), "growth": ("growth.svg", growth)}


def written_into(text, made):
    """Return the text with each table between its marks replaced."""
    for name, section in made.items():
        marks = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        text = re.sub(marks, lambda m, new=section: m[1] + new + "\n" + m[2], text, flags=re.DOTALL)
    return text


def main():
    results = load()
    readme = HERE / "README.md"
    text = written_into(readme.read_text(encoding="utf-8"), sections(results))
    readme.write_text(text, encoding="utf-8")
    course = HERE.parent / "README.md"
    text = re.sub(
        r"A training step with `cnnlib.fast`.*?PyTorch(?=,)",
        sentence(results),
        course.read_text(encoding="utf-8"),
    )
    course.write_text(text, encoding="utf-8")
    for part, (file, draw) in PICTURES.items():
        if part in results:
            with rc_context({"svg.hashsalt": file}):
                draw(results).savefig(DOCS / file, metadata={"Date": None})
    print(sentence(results))


if __name__ == "__main__":
    main()
