"""Which plug-ins there are, gpen-fast's own and other packages', and the import of one of them."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Literal, NamedTuple, overload

from gpen_fast.errors import PluginError, did_you_mean, kind_and_line
from gpen_fast.plugins.facts import AnyFacts, BackendFacts, DetectorFacts, FormatFacts, read_facts
from gpen_fast.plugins.install import OURS, absent_module

PluginKind = Literal["detect", "generate", "save"]

_STAGES = Path(__file__).parents[1] / "stages"


class _Rules(NamedTuple):
    """What all plug-ins of one kind share: their word, entry points, facts, and the function that each offers."""

    word: str
    group: str
    facts: type[AnyFacts]
    offers: str


_RULES: dict[PluginKind, _Rules] = {
    "detect": _Rules("detector", "gpen_fast.detectors", DetectorFacts, "create"),
    "generate": _Rules("backend", "gpen_fast.backends", BackendFacts, "create"),
    "save": _Rules("format", "gpen_fast.formats", FormatFacts, "encode"),
}


class _Candidate(NamedTuple):
    """A module that may be a plug-in, and the package that it comes from."""

    name: str
    module: str
    package: str


class _Catalog(NamedTuple):
    """The plug-ins of one kind, in the order of `facts`, and those left out, as name and reason."""

    candidates: dict[str, _Candidate]
    facts: dict[str, AnyFacts]
    left_out: list[tuple[str, str]]


@overload
def facts(kind: Literal["detect"]) -> Mapping[str, DetectorFacts]: ...
@overload
def facts(kind: Literal["generate"]) -> Mapping[str, BackendFacts]: ...
@overload
def facts(kind: Literal["save"]) -> Mapping[str, FormatFacts]: ...
def facts(kind: PluginKind) -> Mapping[str, AnyFacts]:
    """The facts of every plug-in by its name: the ranked ones first, by rank, then the others by name.

    They are read once per process; no plug-in is imported. One with wrong facts is left out: see `problems`.
    """
    return _catalog(kind).facts


def names(kind: PluginKind) -> list[str]:
    """The names that a user may give, in the order of `facts`."""
    return list(_catalog(kind).facts)


def automatic(kind: Literal["detect", "generate"]) -> list[str]:
    """What `auto` chooses from, best first: gpen-fast's own plug-ins that have a rank."""
    candidates, known, _ = _catalog(kind)
    return [name for name in known if candidates[name].package == OURS and _rank(known[name]) is not None]


def check_name(kind: PluginKind, name: str) -> None:
    """Raises PluginError where no plug-in has that name, with the nearest one and the list."""
    _candidate(kind, name)


def problems(kind: PluginKind) -> list[tuple[str, str]]:
    """The plug-ins left out of `facts`: the name of each, and a sentence that says why and what is accepted."""
    return list(_catalog(kind).left_out)


def format_of(suffix: str) -> str:
    """The name of the format that a suffix without its dot means; the suffix itself where no format has it."""
    return next((name for name, known in facts("save").items() if suffix in known.suffixes), suffix)


def load_plugin(kind: PluginKind, name: str) -> ModuleType:
    """Imports one plug-in.

    Args:
        kind: The stage that it belongs to.
        name: One of `names(kind)`.

    Returns:
        The module: it has `create` (detectors and backends) or `encode` (formats).

    Raises:
        PluginError: No plug-in has that name, its facts are wrong, a package that it needs is absent, or it comes from
            another package and cannot be imported.
    """
    rules, candidate = _RULES[kind], _candidate(kind, name)
    who = f"{rules.word} {name!r}"
    try:
        module = importlib.import_module(candidate.module)
    except ModuleNotFoundError as missing:
        extra = _catalog(kind).facts[name].extra
        lacking = absent_module(missing.name or str(missing), candidate.package, extra)
        raise PluginError(f"{who} needs {lacking}") from missing
    except Exception as cause:  # another package's module may raise anything while it is imported
        if candidate.package == OURS:
            raise
        raise PluginError(
            f"{who} of the package {candidate.package} cannot be imported ({kind_and_line(cause)}). "
            f"Try: pip install --upgrade {candidate.package}"
        ) from cause
    if not callable(getattr(module, rules.offers, None)):
        raise PluginError(
            f"{who} of the package {candidate.package} has no function {rules.offers!r}. "
            f"Define it in {candidate.module}."
        )
    return module


def _candidate(kind: PluginKind, name: str) -> _Candidate:
    """The plug-in of that name. PluginError where there is none, or with the reason why it was left out."""
    candidates, _, left_out = _catalog(kind)
    why = " ".join(reason for other, reason in left_out if other == name)
    if name in candidates:
        if why:  # another plug-in of this name gives way
            warnings.warn(why, stacklevel=3)
        return candidates[name]
    raise PluginError(
        why
        or f"{_RULES[kind].word} {name!r} does not exist.{did_you_mean(name, candidates)} "
        f"Accepted are {', '.join(candidates)}."
    )


@cache
def _catalog(kind: PluginKind) -> _Catalog:
    """Finds the plug-ins of one kind. gpen-fast's own come first, so that another package cannot take their names."""
    found: dict[str, tuple[_Candidate, AnyFacts]] = {}
    left_out = []
    for candidate in (*_own(kind), *_of_other_packages(kind)):
        name, _, package = candidate
        who = f"{_RULES[kind].word} {name!r} of the package {package} is not used"
        try:
            known = _facts_of(candidate, kind)
        except PluginError as error:
            left_out.append((name, f"{who}: {error}"))
            continue
        if known is not None and name in found:
            taken_by = found[name][0].package
            left_out.append((name, f"{who}: {taken_by} has one of this name. Rename its entry point."))
        elif known is not None:
            found[name] = (candidate, known)
    order = sorted(found, key=lambda name: _place(*found[name]))
    return _Catalog(
        {name: found[name][0] for name in order}, {name: found[name][1] for name in order}, left_out
    )


def _place(candidate: _Candidate, known: AnyFacts) -> tuple[float, bool, str]:
    """Sorts by rank, gpen-fast's own before others of the same rank, then by name."""
    rank = _rank(known)
    return float("inf") if rank is None else rank, candidate.package != OURS, candidate.name


def _rank(known: AnyFacts) -> int | None:
    return None if isinstance(known, FormatFacts) else known.rank


def _own(kind: PluginKind) -> Iterator[_Candidate]:
    for file in sorted((_STAGES / kind).glob("*.py")):
        yield _Candidate(file.stem.replace("_", "-"), f"gpen_fast.stages.{kind}.{file.stem}", OURS)


def _of_other_packages(kind: PluginKind) -> Iterator[_Candidate]:
    for point in metadata.entry_points(group=_RULES[kind].group):
        module = point.value.partition(":")[0].strip()
        yield _Candidate(point.name, module, point.dist.name if point.dist else module.partition(".")[0])


def _facts_of(candidate: _Candidate, kind: PluginKind) -> AnyFacts | None:
    """Its facts; None for gpen-fast's own helper modules, which declare none."""
    wanted = _RULES[kind].facts
    if candidate.package == OURS:
        return read_facts(_STAGES / kind / f"{candidate.module.rpartition('.')[2]}.py", wanted)
    file = _source_of(candidate.module)
    if file is None:
        raise PluginError(f"its entry point names {candidate.module}, which has no Python file.")
    known = read_facts(file, wanted)
    if known is None:
        raise PluginError(
            f"{file} assigns no FACTS. Accepted is FACTS = {wanted.__name__}(...), literals only."
        )
    return known


def _source_of(module: str) -> Path | None:
    """The Python file of a module, found without running the packages that it lies in; None where it has none."""
    top, *inner = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # no name, or a module that was put into sys.modules by hand
        return None
    for part in inner:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(f"{spec.name}.{part}", spec.submodule_search_locations)
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None
