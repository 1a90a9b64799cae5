"""GPEN_FAST_MIRROR: what it means, and what it refuses."""

from __future__ import annotations

import pytest

from gpen_fast.errors import SettingsError
from gpen_fast.store.catalog import catalog, entry
from gpen_fast.store.mirror import sources_of

HUB = "https://huggingface.co/akhaliq/GPEN-BFR-512/resolve/main/GPEN-BFR-512.pth"


def urls(monkeypatch: pytest.MonkeyPatch, value: str) -> list[str]:
    monkeypatch.setenv("GPEN_FAST_MIRROR", value)
    return [source.url for source in sources_of(entry("gpen-bfr-512"))]


def test_without_a_mirror_the_published_addresses_come_in_order() -> None:
    found = sources_of(entry("gpen-bfr-512"))
    assert [source.url for source in found] == list(entry("gpen-bfr-512").sources)
    assert not any(source.published for source in found)


def test_a_host_replaces_another(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(entry("gpen-bfr-512").sources)
    found = urls(monkeypatch, "huggingface.co=hf-mirror.com")
    assert HUB not in found
    assert found == [url for url in before if url != HUB], "the mirror is among them already: once is enough"
    found = urls(monkeypatch, " GitHub.com=http://10.0.0.5:8080/gh , huggingface.co=hub.example ")
    assert found[1] == HUB.replace("huggingface.co", "hub.example")
    assert found[3].startswith("http://10.0.0.5:8080/gh/vinthony/video-retalking/releases/")
    assert found[0] == before[0]


def test_folder_holds_files_under_their_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    assert urls(monkeypatch, "https://mirror.example/base/") == [
        "https://mirror.example/base/GPEN-BFR-512.pth"
    ]
    large = sources_of(entry("gpen-bfr-1024"))
    assert [source.url for source in large] == ["https://mirror.example/base/GPEN-BFR-1024.pth"]
    assert str(large[0]) == "https://mirror.example/base/GPEN-BFR-1024.pth (GPEN_FAST_MIRROR)"
    assert sources_of(entry("yoloface")) == []


def test_password_of_a_mirror_is_used_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPEN_FAST_MIRROR", "https://me:secret@mirror.example/base")
    (source,) = sources_of(entry("yunet"))
    assert source.url == "https://me:secret@mirror.example/base/face_detection_yunet_2023mar.onnx"
    assert "secret" not in str(source) + source.shown
    assert source.shown.startswith("https://mirror.example/base/")
    with pytest.raises(SettingsError) as raised:
        urls(monkeypatch, "https://me:secret@/base")
    assert "secret" not in str(raised.value)


def test_the_published_address_within_the_mirrors(monkeypatch: pytest.MonkeyPatch) -> None:
    assert urls(monkeypatch, "https://proxy.example/?get={url}")[1] == f"https://proxy.example/?get={HUB}"


@pytest.mark.parametrize(
    "value",
    ["hf-mirror.com", "huggingface.co=", "=hf-mirror.com", "a=b=c", "huggingface.co=ftp://x", ",", "https://",
     "https://mirror.example/{file}", "a b=c", "https:///path", "huggingface.co=hf mirror", "http://[bad/x"],
)  # fmt: skip
def test_malformed_mirrors_are_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises(
        SettingsError, match=r"GPEN_FAST_MIRROR .* is not understood\. Accepted: a folder's address"
    ):
        urls(monkeypatch, value)


def test_every_published_address_is_https() -> None:
    for known in catalog().values():
        assert all(url.startswith("https://") for url in known.sources)
