"""The catalog: every entry is complete, and a mistake in the file is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.errors import SettingsError, StoreError
from gpen_fast.gpen.config import config_from_arguments
from gpen_fast.store.catalog import catalog, entry, generators, read_catalog
from gpen_fast.store.published import PUBLISHED


def test_published_networks_and_files() -> None:
    assert list(PUBLISHED)[:4] == ["gpen-bfr-512", "gpen-bfr-256", "gpen-bfr-1024", "gpen-bfr-2048"]
    assert PUBLISHED["gpen-bfr-256"].config == config_from_arguments(256, channel_multiplier=1, narrow=0.5)
    assert PUBLISHED["gpen-bfr-512"].config == config_from_arguments(512)
    assert generators()[-1] == "gpen-lite-256"
    best = entry("gpen-bfr-512")
    assert best.bytes == 284085738
    assert best.licence.ask
    assert "non-commercial" in best.licence.sentence
    assert {known.kind for known in catalog().values()} == {"generator", "detector", "landmarks", "parser"}
    assert [known.name for known in catalog().values() if known.embedded] == [
        "gpen-lite-256",
        "landmarks-lite",
        "proposer-lite",
    ]
    detectors = ["retinaface-resnet50", "retinaface-mobilenet0.25", "yunet", "yunet-2026may"]
    detectors += ["proposer-lite", "yoloface"]
    assert [name for name, known in catalog().items() if known.kind == "detector"] == detectors


def test_every_entry_names_a_command_and_a_licence() -> None:
    for known in catalog().values():
        assert known.embedded or known.get_it.startswith("gpen-fast weights ")
        assert known.licence.sentence.endswith(".")
        assert known.sha256 or known.kind == "generator" or "--trust" in known.get_it
        assert not (known.sha256 and known.sources) or known.bytes, "size and hash are published together"
    files = [file for known in catalog().values() for file in known.files]
    assert len(files) == len(set(files)), "two entries would take each other's file"


def test_names_and_sizes() -> None:
    with pytest.raises(
        SettingsError, match=r"unknown weights 'gpen': accepted are gpen-bfr-512, gpen-bfr-256"
    ):
        entry("gpen")
    sizes = [entry(name).shown_size for name in ("gpen-bfr-512", "gpen-bfr-256", "yunet", "yoloface")]
    assert sizes == ["284 MB", "~76 MB", "233 kB", "-"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("kind = 'parser'", "kind = 'nose'"), "kind 'nose', accepted are generator, detector"),
        (("sha256 = []", "sha256 = ['12']"), "a: sha256 '12', accepted are 64 hexadecimal digits"),
        (("licence = 'mit'", "licence = 'x'"), "KeyError"),
        (("file = 'a'", "flie = 'a'"), "flie"),
        (("[licences", "licences"), "TOMLDecodeError"),
    ],
)
def test_catalog_with_a_mistake(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    text = "[licences.mit]\nshort = 'm'\nsentence = 's'\n"
    text += "[weights.a]\nkind = 'parser'\nfile = 'a'\nsha256 = []\nlicence = 'mit'\n"
    (tmp_path / "good.toml").write_text(text)
    assert list(read_catalog(tmp_path / "good.toml")) == ["a"]
    (tmp_path / "bad.toml").write_text(text.replace(*change))
    with pytest.raises(StoreError, match=r"bad\.toml: the weights catalog cannot be read") as raised:
        read_catalog(tmp_path / "bad.toml")
    assert words in str(raised.value)
