"""`python -m gpen_fast.training.lite`: train, speed, reach, sources, pack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gpen_fast.device.select import pick_device
from gpen_fast.errors import InputsError
from gpen_fast.training.lite.credits import source_list, without_attribution
from gpen_fast.training.lite.pack import pack_run
from gpen_fast.training.lite.plan import batch_for, measured_speeds, plan_for, read_plan, write_plan
from gpen_fast.training.lite.recipe import RECIPE, LiteRecipe, read_lite_recipe
from gpen_fast.training.lite.sets import read_sets
from gpen_fast.training.lite.speed import TrainingSpeed
from gpen_fast.training.lite.trainer import GainRow, lite_task
from gpen_fast.training.options import ConfigFile, Device, JsonFile, RunFolder, WeightsFile
from gpen_fast.training.run import TrainingReport, TrainingRun, train

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Train and measure GPEN-Lite 2.")
DataFolders = Annotated[
    list[Path], typer.Option("--data", help="Folder of a set; once for each. Sets count alike.")
]
Start = Annotated[
    Path | None,
    typer.Option("--from", help="Weights of the same network that a new run starts from; a state.pt too."),
]
Minutes = Annotated[float, typer.Option(min=0.1, help="Time for the whole run; 0.1 and up.")]


@app.command("train")
def _train(
    data: DataFolders,
    out: RunFolder,
    config: ConfigFile = RECIPE,
    minutes: Minutes = 120,
    device: Device = "auto",
    start: Start = None,
) -> None:
    """Train for a given time, or resume an interrupted run."""
    chosen = pick_device(device)
    recipe = read_lite_recipe(config)
    plan = read_plan(out)
    if plan is None:
        recipe = recipe.lasting(recipe.steps, batch_for(recipe, chosen))
        speeds = measured_speeds(
            lite_task(recipe, data[1:], start), data[0], chosen, seconds=min(20, minutes * 3)
        )
        _print_speeds(speeds)
        plan = replace(plan_for(recipe, speeds, minutes), start=str(start.resolve()) if start else "")
        write_plan(out, plan)
    recipe = recipe.lasting(plan.steps, plan.batch)
    typer.echo(f"{plan.steps} steps of {plan.batch} pictures{f', from {plan.start}' if plan.start else ''}")
    task = lite_task(_saving(recipe), data[1:], Path(plan.start) if plan.start else None)
    run = TrainingRun(task, data[0], out, 1, device)
    typer.echo(f"done: {train(run, _print_lite_report)}")


def _saving(recipe: LiteRecipe) -> LiteRecipe:
    """A short run saves twenty times and tests four times."""
    save = min(recipe.save_every, max(1, recipe.steps // 20))
    return replace(recipe, save_every=save, test_every=5 * save)


@app.command("speed")
def _speed(
    data: DataFolders,
    config: ConfigFile = RECIPE,
    seconds: Annotated[float, typer.Option(help="Seconds of each phase.")] = 20,
    device: Device = "auto",
) -> None:
    """Measure pictures per second, without and with the discriminator, beside the floor of the arithmetic."""
    chosen, recipe = pick_device(device), read_lite_recipe(config)
    task = lite_task(recipe.lasting(recipe.steps, batch_for(recipe, chosen)), data[1:])
    _print_speeds(measured_speeds(task, data[0], chosen, seconds))


@app.command("reach")
def _reach(
    weights: WeightsFile,
    data: DataFolders,
    sheet: Annotated[Path | None, typer.Option(help="Also write this contact sheet.")] = None,
    old: Annotated[Path | None, typer.Option(help="A photograph for the sheet; looked at only.")] = None,
    faces: Annotated[int, typer.Option(min=1, help="Held-out faces of each set, at most.")] = 1000,
    json_file: JsonFile = None,
) -> None:
    """Measure a network on the held-out faces of every set: the whole table of what it is to reach."""
    from gpen_fast.training.lite.reach import print_reach, reach_sheet

    print_reach(weights, data, faces, json_file)
    if sheet:
        reach_sheet(weights, data, old, sheet)
        typer.echo(f"{sheet}: inputs at factors 1.5, 3 and 6 and their restorations, then the original")


@app.command("sources")
def _sources(data: DataFolders) -> None:
    """Print the sources and attributions that weights/README.md needs for weights trained on these sets."""
    sets = read_sets(data)
    nameless = without_attribution(sets)
    if nameless:
        raise InputsError(
            f"{nameless[0]}: its licence asks for an attribution, and its manifest row names none "
            f"({len(nameless)} such faces). Name it after 'Attribution: ' in the column basis, or remove the row."
        )
    typer.echo(source_list(sets), nl=False)


@app.command("pack")
def _pack(
    data: DataFolders, out: Annotated[Path, typer.Argument(help="The .tar to write.")], minutes: Minutes = 9
) -> None:
    """Pack code and data into one file of less than 60 MB for a machine with torch and no network."""
    size = pack_run(data, out, minutes)
    typer.echo(f"{out}: {size / 1e6:.1f} MB. There: tar xf {out.name} && sh gpen-lite2/train.sh")


def _print_speeds(speeds: list[TrainingSpeed]) -> None:
    for speed, words in zip(speeds, ("without", "with"), strict=False):
        typer.echo(
            f"{words} the discriminator: {speed.pictures_per_second:.1f} pictures/s; floor {speed.floor:.1f} "
            f"({speed.flops / 1e9:.1f} GFLOP a picture at {speed.peak / 1e12:.2f} TFLOP/s); {speed.share:.1%} reached"
        )


def _print_lite_report(report: TrainingReport[GainRow]) -> None:
    gains = "  ".join(f"set {row.set + 1} f{row.factor:g} {row.gain:+.2f} dB" for row in report.rows)
    typer.echo(
        f"step {report.step}  loss {report.loss:.4f}  {report.pictures_per_second:.1f} pictures/s  {gains}"
    )
