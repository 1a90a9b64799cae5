"""`make demo`: restores the examples; without weights, times them with random ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image

from gpen_fast.errors import WeightsNotFoundError
from gpen_fast.settings import WeightsOptions
from gpen_fast.store.locate import choose

HERE = Path(__file__).parent
OUT = HERE.parent / "out"
# The true shapes of a published network in one that a CPU runs in under a second.
RANDOM = "random:gpen-bfr-256"


def run(*arguments: str) -> None:
    """Shows a gpen-fast command and runs it."""
    print(f"\n$ gpen-fast {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "gpen_fast", *arguments], check=True)


def main() -> None:
    """Enhances examples/ into out/, or profiles the two degraded portraits."""
    try:
        choose(WeightsOptions())
    except WeightsNotFoundError:
        print("No GPEN weights are here, so nothing can be restored yet: see gpen-fast weights list")
        print("This shows where the time would go, with random weights of a published network's shapes.")
        for picture in sorted(HERE.glob("*-degraded.jpg")):
            run("profile", str(picture), "--weights", RANDOM, "--runs", "5")
        return
    run("enhance", str(HERE), str(OUT), "--overwrite", "--offline")
    for picture in sorted(HERE.glob("*-degraded.jpg")):
        print(f"before and after: {before_and_after(picture)}")
    print(f"restored pictures are in {OUT}")


def before_and_after(picture: Path) -> Path:
    """An example and its restoration side by side, twice as large, for looking."""
    made = OUT / f"{picture.stem}-before-after.png"
    with Image.open(picture) as before, Image.open(OUT / f"{picture.stem}.png") as after:
        width, height = before.size
        both = Image.new("RGB", (2 * width, height))
        both.paste(before.convert("RGB"), (0, 0))
        both.paste(after.convert("RGB"), (width, 0))
    both.resize((4 * width, 2 * height), Image.Resampling.BICUBIC).save(made)
    return made


if __name__ == "__main__":
    main()
