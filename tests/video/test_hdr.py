"""HDR metadata as encoders take it."""

from __future__ import annotations

from gpen_fast.video.codecs import Encoding
from gpen_fast.video.hdr import hdr_options, keeps_light
from gpen_fast.video.probe import HdrLight

LIGHT = HdrLight((0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329), (0.0001, 1000.0), (1000, 400))


def test_metadata_is_written_in_each_encoders_words() -> None:
    x265 = Encoding("hevc", "libx265", "yuv420p10le", {"x265-params": "log-level=error"})
    assert hdr_options(x265, LIGHT)["x265-params"] == (
        "log-level=error:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):"
        "max-cll=1000,400"
    )
    av1 = Encoding("av1", "libsvtav1", "yuv420p10le", {"preset": "7"})
    made = hdr_options(av1, LIGHT)
    assert made["svtav1-params"].startswith(
        "mastering-display=G(0.2650,0.6900)B(0.1500,0.0600)R(0.6800,0.3200)"
    )
    assert made["preset"] == "7"


def test_nothing_is_added_without_metadata_or_for_other_encoders() -> None:
    plain = Encoding("ffv1", "ffv1", "yuv420p10le", {"level": "3"})
    assert hdr_options(plain, LIGHT) == {"level": "3"}
    assert not keeps_light(plain)
    x264 = Encoding("h264", "libx264", "yuv420p10le", {"crf": "16"})
    assert hdr_options(x264, None) == {"crf": "16"}
    assert keeps_light(x264)
