"""Flags from option dataclasses: a command declares the options that it takes, and receives them built.

A field's name, type, default and the first paragraph of the string literal beneath it become its flag; what only
the command line needs to know (metavar, range, accepted names) stands in `OPTION_FLAGS`. Imports no torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from inspect import Parameter
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from gpen_fast.cli.field_docs import field_docs
from gpen_fast.cli.flags import (
    OPTION_FLAGS,
    OPTION_PANELS,
    OPTION_PARTS,
    OPTION_SHORTHAND,
    Flag,
    Shorthands,
)
from gpen_fast.errors import SettingsError, did_you_mean
from gpen_fast.settings import (
    PRECISIONS,
    Settings,
)

Command = Callable[..., None]
# An annotation, as Typer reads it at run time: `str | None` and `Annotated[...]` are no classes.
_TypeForm = Any


def with_options(
    *, without: Collection[str] = (), panels: bool = True, **flags: Flag
) -> Callable[[Command], Command]:
    """Makes a command for Typer of a function that takes option dataclasses.

    Each parameter whose annotation is a dataclass of options, or `Settings`, is replaced by one flag a field, with
    --skip-detect and --fp16 after the flags that they stand for. The function receives the options built and frozen.

    Args:
        without: Fields that get no flag and keep their defaults.
        panels: Whether the help groups the flags; for commands of a few flags it need not.
        **flags: How single fields look in this command, beyond the table of this module.

    Returns:
        The decorator. The command raises SettingsError where the flags contradict each other.
    """

    def decorate(function: Command) -> Command:
        hints = get_type_hints(function, include_extras=True)
        kinds = {name: kind for name, kind in hints.items() if isinstance(kind, type) and is_dataclass(kind)}
        # By the context the command learns which flags the user gave: a contradiction is one of given values.
        parameters = [_parameter("context_", typer.Context, Parameter.empty)]
        for own in inspect.signature(function).parameters.values():
            if own.name in kinds:
                parameters += _parameters(hints[own.name], without, panels, flags)
            else:
                parameters.append(_parameter(own.name, hints[own.name], own.default))

        def command(context_: typer.Context, **values: object) -> None:
            own = {name: value for name, value in values.items() if name in hints}
            given = {name: values[name] for name in values.keys() - own if _is_given(context_, name)}
            chosen = _resolved(given)
            function(**own, **{name: _built(kind, chosen) for name, kind in kinds.items()})

        # Typer reads all of these: the name and the text for the help, both forms of the annotations for the flags.
        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        return command

    return decorate


def option(kind: type, name: str, *, panel: bool = True, flag: Flag | None = None) -> Any:
    """The Typer option of one field, for a command that takes the field as a parameter of its own.

    Args:
        kind: The dataclass of options.
        name: The field.
        panel: Whether the flag stands in its part's panel of the help.
        flag: How it looks; None for the table of this module.

    Returns:
        What `typer.Option` returns, for `Annotated`.
    """
    flag = flag or OPTION_FLAGS.get(name, Flag())
    return typer.Option(
        *(flag.names or (f"--{name.replace('_', '-')}",)),
        metavar=flag.metavar or "",
        min=flag.least,
        max=flag.most,
        help=_help(kind, name, flag),
        show_default=flag.default or True,
        autocompletion=_offered(flag),
        rich_help_panel=OPTION_PANELS.get(kind) if panel else None,
    )


def _offered(flag: Flag) -> Callable[[], list[str]] | None:
    """Lists the values that completion offers; None leaves it to the shell, which completes files."""
    if accepted := flag.accepted:
        return lambda: [name for name in accepted() if name != "cuda:N"]
    words = [word for word in (flag.metavar or "").split("|") if word.islower()]
    return (lambda: words) if words else None


def _parameters(
    kind: type, without: Collection[str], panels: bool, flags: Mapping[str, Flag]
) -> Iterator[Parameter]:
    """One parameter for each field of a dataclass of options, or of every part of Settings."""
    for part in OPTION_PARTS if kind is Settings else (kind,):
        hints = get_type_hints(part)
        for field in fields(part):
            if field.name in without:
                continue
            made = option(part, field.name, panel=panels, flag=flags.get(field.name))
            yield _parameter(field.name, Annotated[_flag_type(hints[field.name]), made], field.default)
            if short := OPTION_SHORTHAND.get(field.name):
                made = option(Shorthands, short)
                made.rich_help_panel = OPTION_PANELS[part] if panels else None
                yield _parameter(short, Annotated[bool, made], False)


def _parameter(name: str, annotation: _TypeForm, default: object) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _flag_type(hint: _TypeForm) -> _TypeForm:
    """The type that Typer parses: text for a closed choice, so that the options' own error names what is accepted."""
    kinds = get_args(hint) or (hint,)
    if not any(get_origin(kind) is Literal for kind in (hint, *kinds)):
        return hint
    return str | None if type(None) in kinds else str


def _help(kind: type, name: str, flag: Flag) -> str:
    text = flag.help or field_docs(kind)[name]
    if not flag.accepted:
        return text
    return f"{text} Accepted: {', '.join(flag.accepted())}."


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _resolved(given: Mapping[str, object]) -> dict[str, object]:
    """The flags that were given, shorthands replaced by what they stand for."""
    chosen = dict(given)
    detector, precision = given.get("detector"), given.get("precision")
    if chosen.pop("skip_detect", False):
        if detector not in (None, "none"):
            raise SettingsError(
                f"--skip-detect and --detector {detector} contradict each other: leave one out."
            )
        chosen["detector"] = "none"
    if precision is not None and precision not in PRECISIONS:
        near = did_you_mean(str(precision), PRECISIONS)
        raise SettingsError(f"precision {precision!r}: accepted are {', '.join(PRECISIONS)}.{near}")
    if chosen.pop("fp16", False):
        if precision not in (None, "fp16"):
            raise SettingsError(f"--fp16 and --precision {precision} contradict each other: leave one out.")
        chosen["precision"] = precision or "half"
    for name in ("detect_size", "batch_size"):  # a number or a name
        if isinstance(value := given.get(name), str) and value.isdecimal():
            chosen[name] = int(value)
    return chosen


def _built(kind: Callable[..., object], chosen: Mapping[str, object]) -> object:
    if kind is Settings:
        names = {field.name for part in OPTION_PARTS for field in fields(part)}
        return Settings.from_flat(**{name: value for name, value in chosen.items() if name in names})
    names = set(get_type_hints(kind))
    return kind(**{name: value for name, value in chosen.items() if name in names})
