"""Runs a stack at a steady rate for a while, and says how memory and descriptors of each executable change.

Started by scripts/soak.sh, which says what it takes.
"""

import argparse
import json
import os
import sys
import time

from client import Paced, Stack, machine, slope

AIM = 1.0  # per cent in ten minutes


def memory(pid):
    """Resident memory in KB."""
    with open(f"/proc/{pid}/status") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


def journey(stack):
    """What one user does: asks, watches to the end, reads the receipt and a list."""
    api = stack.api()

    def go():
        debate = api.create()
        viewer = stack.viewer(debate)
        try:
            viewer.watch()
        finally:
            viewer.close()
        api.ask("GET", f"/api/v1/debates/{debate}")
        api.ask("GET", f"/api/v1/debates/{debate}/receipt")
        api.ask("GET", "/api/v1/debates?limit=20")

    return go


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stack", required=True)
    arguments.add_argument("--minutes", type=float, default=20)
    arguments.add_argument("--rate", type=float, default=35)
    arguments.add_argument("--warm-up", type=float, default=0.3, help="share of the time that is not judged")
    arguments.add_argument("--interval", type=float, default=5)
    arguments.add_argument("--out", required=True, help="folder for soak.json and soak.png")
    chosen = arguments.parse_args()
    stack = Stack(chosen.stack)
    pids = stack.processes()
    where = machine()
    print(f"{where}; {chosen.rate:g} debates/s for {chosen.minutes:g} minutes", flush=True)
    load = Paced(chosen.rate, lambda: journey(stack), threads=max(8, int(chosen.rate * 2)))
    began = time.monotonic()
    load.start()
    samples = []
    while (at := time.monotonic() - began) < chosen.minutes * 60:
        sample = {"at": at, "done": load.done}
        for name, pid in pids.items():
            sample[name] = [memory(pid), len(os.listdir(f"/proc/{pid}/fd"))]
        samples.append(sample)
        with open(f"{chosen.out}/soak.json", "w") as file:
            json.dump({"machine": where, "rate": chosen.rate, "samples": samples}, file)
        if len(samples) % max(1, int(60 / chosen.interval)) == 0:
            sizes = ", ".join(f"{name} {sample[name][0] / 1024:.1f} MB {sample[name][1]}" for name in pids)
            print(f"{at / 60:.0f} min: {load.done} debates, {len(load.errors)} failed; {sizes}", file=sys.stderr, flush=True)
        time.sleep(max(0.1, chosen.interval - (time.monotonic() - began - at)))
    load.stop()
    return report(samples, pids, load, chosen)


def report(samples, pids, load, chosen):
    judged = [s for s in samples if s["at"] >= chosen.warm_up * chosen.minutes * 60]
    print(f"{load.done} debates watched to the end, {len(load.errors)} failed")
    for error in sorted(set(load.errors))[:5]:
        print(f"  {error}")
    print("| Executable | Memory after warm-up, at the end | Slope in ten minutes | Descriptors | Slope |")
    print("| --- | --- | --- | --- | --- |")
    worst = 0.0
    for name in pids:
        cells = []
        for index, unit in [(0, 1024), (1, 1)]:
            points = [(s["at"] / 600, s[name][index] / unit) for s in judged]
            # Connections come and go: of each minute's descriptors, the fewest.
            if index == 1:
                fewest = {}
                for at, value in points:
                    fewest[at * 10 // 1] = min(value, fewest.get(at * 10 // 1, value))
                points = [(minute / 10, value) for minute, value in fewest.items()]
            mean = sum(y for _, y in points) / len(points)
            change = slope(points) / mean * 100
            worst = max(worst, change)
            ends = f"{points[0][1]:.1f}, {points[-1][1]:.1f} MB" if index == 0 else f"{points[0][1]:.0f}, {points[-1][1]:.0f}"
            cells += [ends, f"{change:+.2f} %"]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print(f"aim: less than {AIM:g} % in ten minutes; largest {worst:+.2f} %")
    draw(samples, pids, chosen)
    return 1 if worst >= AIM or load.errors else 0


def draw(samples, pids, chosen):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plot

    figure, axes = plot.subplots(1, 2, figsize=(9, 3.2))
    for index, (title, unit) in enumerate([("resident memory, MB", 1024), ("open descriptors", 1)]):
        for name in pids:
            axes[index].plot([s["at"] / 60 for s in samples], [s[name][index] / unit for s in samples], label=name, linewidth=1)
        axes[index].set_title(title, fontsize=9)
        axes[index].set_xlabel("minutes", fontsize=8)
        axes[index].set_ylim(bottom=0)
        axes[index].tick_params(labelsize=8)
        axes[index].grid(True, alpha=0.3)
    axes[0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(f"{chosen.out}/soak.png", dpi=80)


sys.exit(main())
