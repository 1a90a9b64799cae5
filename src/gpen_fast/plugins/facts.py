"""What a plug-in declares beside its code, and how that is read from a file that is not run."""

from __future__ import annotations

import ast
from dataclasses import dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Literal, get_args, get_origin, get_type_hints

from gpen_fast.errors import PluginError

DeviceType = Literal["cpu", "cuda"]
BitDepth = Literal[8, 16]


@dataclass(frozen=True, kw_only=True)
class DetectorFacts:
    """What is known of a detector before it is imported."""

    rank: int | None
    """Its place in the order in which `auto` tries detectors, lowest first; None: it runs only when named."""
    weights: tuple[str, ...] = ()
    """Names in the weights catalog, the preferred one first; any one of them suffices. Empty: it needs none."""
    extra: str | None = None
    """The extra of its package that installs what it needs; None: the package itself suffices."""
    gives_landmarks: bool
    """Whether its faces have five landmarks; else they are aligned by their boxes."""
    on_host: bool
    """Whether it works in host memory, beside the device's queue and in several threads."""
    any_angle: bool = False
    """Whether pictures in which it finds no upright face are searched for turned ones, unless the user says
    otherwise. Detectors that find turned faces by themselves, or no faces at all, leave it out."""
    help: str
    """One clause for `--help` and tables, without a full stop."""


@dataclass(frozen=True, kw_only=True)
class BackendFacts:
    """What is known of a generator backend before it is imported."""

    rank: int | None
    """Its place in the order in which `auto` tries backends, lowest first; None: it runs only when named."""
    devices: tuple[DeviceType, ...]
    """Where it runs."""
    extra: str | None = None
    """The extra of its package that installs what it needs; None: the package itself suffices."""
    help: str
    """One clause for `--help` and tables, without a full stop."""


@dataclass(frozen=True, kw_only=True)
class FormatFacts:
    """What is known of a picture format before its writer is imported."""

    suffixes: tuple[str, ...]
    """The file suffixes that mean this format, lower case, without the dot."""
    depths: tuple[BitDepth, ...]
    """Bits per channel that it stores."""
    alpha: bool
    """Whether it stores transparency."""
    lossless: bool
    """Whether the pixels read back are those written."""
    most_side: int | None = None
    """The most pixels that it holds a side; None: no limit that a picture reaches."""
    extra: str | None = None
    """The extra of its package that installs what it needs; None: the package itself suffices."""
    help: str
    """One clause for `--help` and tables, without a full stop."""


AnyFacts = DetectorFacts | BackendFacts | FormatFacts


def read_facts(file: Path, wanted: type[AnyFacts]) -> AnyFacts | None:
    """Reads the facts that a Python file assigns to FACTS at its top level, without running it.

    Args:
        file: The plug-in's source.
        wanted: The class of its kind's facts.

    Returns:
        The facts; None where the file assigns none, as helper modules do.

    Raises:
        PluginError: The file cannot be read or parsed, or FACTS is not a call of `wanted` with literal keyword
            arguments of the declared types.
    """
    try:
        source = file.read_bytes()
        body = ast.parse(source, str(file)).body if b"FACTS" in source else []
    except (OSError, SyntaxError, ValueError) as cause:  # ValueError: a null byte in the source
        raise PluginError(f"{file} cannot be read as Python ({cause}).") from cause
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "FACTS" for target in targets):
            assert isinstance(node, ast.Assign)
            return _built(node.value, wanted)
    return None


def _built(value: ast.expr, wanted: type[AnyFacts]) -> AnyFacts:
    """The facts that an expression stands for."""
    if not isinstance(value, ast.Call) or value.args or not ast.unparse(value.func).endswith(wanted.__name__):
        raise _not_accepted(wanted, f"FACTS is {ast.unparse(value)}")
    try:
        # `**more` has no argument name and is refused: what it stands for is not in the file's literals.
        given = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in value.keywords}
        facts = wanted(**given)
    except (ValueError, TypeError) as cause:
        raise _not_accepted(wanted, f"FACTS cannot be read ({cause})") from cause
    for name, hint in get_type_hints(wanted).items():
        if not _fits(getattr(facts, name), hint):
            raise _not_accepted(wanted, f"FACTS has {name}={getattr(facts, name)!r}")
    return facts


def _fits(value: object, hint: object) -> bool:
    """Whether a literal is of a declared type: a plain class, a union, a Literal, or a tuple of any length."""
    accepted = get_args(hint)
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_fits(item, accepted[0]) for item in value)
    if get_origin(hint) is Literal:
        return value in accepted
    if isinstance(hint, UnionType):
        return any(_fits(value, one) for one in accepted)
    return type(value) is hint  # and no subclass: True is no rank


def _not_accepted(wanted: type[AnyFacts], came: str) -> PluginError:
    accepted = ", ".join(f"{field.name}: {field.type}" for field in fields(wanted))
    return PluginError(f"{came}. Accepted is FACTS = {wanted.__name__}(...), literals only, of {accepted}.")
