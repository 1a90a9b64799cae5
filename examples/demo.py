"""`make demo`: restores the examples or, without any weights, profiles them with random weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image

from gpen_fast.errors import WeightsNotFoundError
from gpen_fast.settings import WeightsOptions
from gpen_fast.store.locate import choose_weights

HERE = Path(__file__).parent
OUT = HERE.parent / "out"
# The shapes of the smallest published network; a CPU runs it in under a second.
RANDOM = "random:gpen-bfr-256"


def run(*arguments: str) -> None:
    """Prints a gpen-fast command and runs it."""
    print(f"\n$ gpen-fast {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "gpen_fast", *arguments], check=True)


def main() -> None:
    """Restores examples/ into out/, or profiles the two degraded portraits."""
    try:
        choose_weights(WeightsOptions())
    except WeightsNotFoundError:
        print(
            "No weights were found, so nothing can be restored. To see the known weights: gpen-fast weights list"
        )
        print("Instead, random weights of a published network's shapes show how long each stage takes.")
        for picture in sorted(HERE.glob("*-degraded.jpg")):
            run("profile", str(picture), "--weights", RANDOM, "--runs", "5")
        return
    run("enhance", str(HERE), str(OUT), "--overwrite", "--offline")
    for picture in sorted(HERE.glob("*-degraded.jpg")):
        print(f"before and after: {before_and_after(picture)}")
    print(f"the restored pictures are in {OUT}")


def before_and_after(picture: Path) -> Path:
    """Writes an example and its restoration side by side, enlarged twice, and returns the file's path."""
    target = OUT / f"{picture.stem}-before-after.png"
    with Image.open(picture) as before, Image.open(OUT / f"{picture.stem}.png") as after:
        width, height = before.size
        both = Image.new("RGB", (2 * width, height))
        both.paste(before.convert("RGB"), (0, 0))
        both.paste(after.convert("RGB"), (width, 0))
    both.resize((4 * width, 2 * height), Image.Resampling.BICUBIC).save(target)
    return target


if __name__ == "__main__":
    main()
