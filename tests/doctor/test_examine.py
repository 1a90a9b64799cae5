"""All probes run, each with what it takes, and one that raises is a finding."""

from __future__ import annotations

import pytest
from shop import Shop

from gpen_fast.doctor import hardware
from gpen_fast.doctor.examine import examine
from gpen_fast.settings import WeightsOptions


def test_groups_come_in_order_and_a_broken_probe_hides_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def space(device: str, weights: WeightsOptions) -> list[object]:
        assert (device, weights) == ("cpu", WeightsOptions(offline=True))
        raise OSError("disk on fire\nlong story")

    monkeypatch.setattr(hardware, "space", space)
    found = examine("cpu", WeightsOptions(offline=True))
    groups = list(dict.fromkeys(finding.group for finding in found))
    assert groups == ["device", "precision", "packages", "plug-ins", "weights", "codecs", "space"]
    (broken,) = (finding for finding in found if finding.group == "space")
    assert (broken.name, broken.state, broken.needed) == ("space", "broken", True)
    assert broken.text == "OSError: disk on fire"


def test_a_device_that_is_not_here_is_a_finding_of_every_probe_that_needs_it(shop: Shop) -> None:
    found = examine("cuda:77", WeightsOptions())
    named = [finding.name for finding in found if "cuda:77" in finding.text]
    assert {"device", "precisions", "--detector auto", "nvJPEG"} <= set(named)
    assert any(finding.name == "Pillow" and finding.state == "ok" for finding in found)
