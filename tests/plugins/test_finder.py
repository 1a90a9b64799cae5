"""Which plug-ins are listed, in which order, and what is said of those that are not."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from packages import DETECTOR, install

from gpen_fast import plugins
from gpen_fast.errors import PluginError
from gpen_fast.plugins import finder

GROUP = "gpen_fast.detectors"
OWN = ["retinaface", "retinaface-mobile", "yunet", "lite", "haar", "none", "yoloface"]


def test_our_own_in_the_order_of_their_ranks() -> None:
    assert plugins.names("detect") == OWN
    assert plugins.names("generate") == ["folded", "eager", "compiled"]
    assert plugins.names("save") == ["jpg", "png", "tif", "webp"]
    assert plugins.automatic("detect") == OWN[:5]
    assert plugins.automatic("generate") == ["folded", "eager"]
    assert plugins.facts("detect")["yunet"].weights == ("yunet-2026may", "yunet")
    assert all(plugins.problems(kind) == [] for kind in finder._RULES)


def test_suffixes_name_formats() -> None:
    assert [plugins.format_of(suffix) for suffix in ("jpeg", "jfif", "png", "tiff", "")] == [
        "jpg", "jpg", "png", "tif", "",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", list(finder._RULES))
def test_every_plug_in_of_ours_keeps_its_word(kind: finder.PluginKind) -> None:
    """What it says of itself beside its code is what its objects say."""
    for name, facts in plugins.facts(kind).items():
        assert facts == plugins.load_plugin(kind, name).FACTS
        assert facts.help
        assert not facts.help.endswith(".")


def test_another_packages_plug_in_is_listed_without_running_the_package(site: Path) -> None:
    install(
        site, "unrun-faces", {GROUP: {"mine": "unrun_faces.inner"}}, init="raise RuntimeError", inner=DETECTOR
    )
    assert plugins.names("detect") == ["mine", *OWN]
    assert plugins.facts("detect")["mine"].help == "the middle of the picture"
    assert "unrun_faces" not in sys.modules
    assert plugins.automatic("detect") == OWN[:5], "auto never picks it, whatever its rank"
    with pytest.raises(
        PluginError,
        match=r"detector 'mine' of the package unrun-faces cannot be imported \(RuntimeError\)\. "
        r"Try: pip install --upgrade unrun-faces",
    ):
        plugins.load_plugin("detect", "mine")


@pytest.mark.parametrize(
    ("value", "source", "why"),
    [
        ("bad_one.inner", "x = 1\n", "inner.py assigns no FACTS. Accepted is FACTS = DetectorFacts(...)"),
        ("bad_one.inner", "FACTS = DetectorFacts(rank='1')", "FACTS cannot be read"),
        ("bad_one.inner", "FACTS = (", "cannot be read as Python"),
        ("bad_one.absent", "", "its entry point names bad_one.absent, which has no Python file."),
        ("absent_package.inner", "", "its entry point names absent_package.inner, which has no Python file."),
        (":", "", "which has no Python file."),
    ],
)
def test_a_broken_one_is_left_out_and_says_why_when_asked_for(
    site: Path, value: str, source: str, why: str
) -> None:
    install(site, "bad-one", {GROUP: {"bad": value}}, inner=source)
    assert plugins.names("detect") == OWN
    ((name, told),) = plugins.problems("detect")
    assert name == "bad"
    assert told.startswith("detector 'bad' of the package bad-one is not used: ")
    assert why in told
    with pytest.raises(PluginError) as refused:
        plugins.load_plugin("detect", "bad")
    assert str(refused.value) == told


def test_our_names_cannot_be_taken(site: Path) -> None:
    install(site, "taker", {GROUP: {"none": "taker.inner"}}, inner=DETECTOR)
    assert plugins.names("detect") == OWN
    with pytest.warns(
        UserWarning, match=r"'none' of the package taker is not used: gpen-fast has one of this"
    ):
        assert plugins.load_plugin("detect", "none").__name__ == "gpen_fast.stages.detect.none"


def test_a_plug_in_without_its_function_is_named(site: Path) -> None:
    source = DETECTOR.replace("def create", "def make")
    install(site, "halfway", {GROUP: {"half": "halfway.inner"}}, inner=source)
    with pytest.raises(PluginError, match=r"'half' of the package halfway has no function 'create'"):
        plugins.load_plugin("detect", "half")


def test_a_missing_library_names_the_extra_of_the_package_that_declares_it(site: Path) -> None:
    source = "import no_such_library\n" + DETECTOR.replace("rank=0", "rank=0, extra='gpu'")
    install(site, "needy", {GROUP: {"needy": "needy.inner"}}, inner=source)
    with pytest.raises(
        PluginError, match=r"needs the package no-such-library, .* pip install 'needy\[gpu\]'"
    ):
        plugins.load_plugin("detect", "needy")


def test_missing_dependency_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ModuleNotFoundError("No module named 'yaml'", name="yaml")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(
        PluginError, match=r"detector 'haar' needs the package pyyaml, .* Try: pip install pyyaml"
    ):
        plugins.load_plugin("detect", "haar")


def test_an_unknown_name_is_refused_with_the_nearest_and_the_list() -> None:
    with pytest.raises(
        PluginError,
        match=r"format 'pmg' does not exist\. Did you mean 'png'\? Accepted are jpg, png, tif, webp\.",
    ):
        plugins.check_name("save", "pmg")
    with pytest.raises(PluginError, match=r"backend 'xyz' does not exist\. Accepted are folded"):
        plugins.check_name("generate", "xyz")
