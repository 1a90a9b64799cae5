"""What a stream says of itself."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from videos import Made, write_video

from gpen_fast.errors import VideoError
from gpen_fast.video.facts import picked_stream, stream_facts


def test_facts_are_those_that_the_file_was_made_with(tmp_path: Path) -> None:
    made = Made(rate=Fraction(30000, 1001), sample_aspect=Fraction(4, 3), colour=(9, 1, 9, 16))
    path = write_video(tmp_path / "a.mkv", [np.zeros((64, 96, 3), np.uint8)] * 9, made)
    with av.open(str(path)) as given:
        facts = stream_facts(given, picked_stream(given))
    assert (facts.codec, facts.pixel_format, facts.width, facts.height) == ("h264", "yuv420p", 96, 64)
    assert (facts.rate, facts.sample_aspect) == (Fraction(30000, 1001), Fraction(4, 3))
    assert (facts.colour.matrix, facts.colour.range, facts.colour.primaries) == (9, 1, 9)
    assert facts.colour.is_hdr
    assert facts.seconds == pytest.approx(0.3, abs=0.05)


def test_sound_alone_is_refused_by_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.rate = 8000
        output.mux(stream.encode(frame))
    with av.open(str(path)) as given, pytest.raises(VideoError, match="no video stream: it holds only audio"):
        picked_stream(given)
