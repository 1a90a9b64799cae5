"""Flicker, jitter and identities of `video` on clips of known motion: --temporal at its default beside frame by frame.

    python benchmarks/temporal.py [--frames 60] [--height 270] [--clips pan,zoom] [--sheets FOLDER] [--commit]

The clips are those of tests/support/clips.py, whose clean frames and landmarks are known, damaged as DAMAGES says. The
network is the embedded gpen-lite-256. Flicker is the mean absolute difference of consecutive frames after warping by
the true motion, minus that of the clean clip, over the face's pixels that nothing covers, in frames in which the face
is restored frame by frame; below 0 the frames differ less than the clean ones, whose detail is finer. Jitter is the
deviation of the landmarks' error over a track, in units of the eye distance, while the whole face is seen; shake is
that of its part that changes from frame to frame. PSNR is against all clean frames, over the same pixels. `mouth` is
the PSNR around the mouth of the clip in which mouth and eyes move.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from clips import CLIPS, ClipFrame, damaged
from scenes import seen_share
from stages import add_commit, results_folder
from videos import Made, rgb_frames, write_video

from gpen_fast import __version__
from gpen_fast.image.similarity import similarities
from gpen_fast.measure.environment import commit
from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.run.job import Pasted, Restored
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.video.plan import plan_videos
from gpen_fast.run.video.run import run_videos
from gpen_fast.settings import Settings, VideoOptions
from gpen_fast.video.matching import apart, eyes_of
from gpen_fast.video.motion import face_ellipse, patch_window
from gpen_fast.video.score import landmark_jitter, shake

LOSSLESS = Made("ffv1", "bgr0", options={"level": "3"})
# Sigma of the blur in pixels, deviation of each frame's noise in grey levels, and the rate factor of H.264 after it.
DAMAGES = {"noise": (0.0, 12.0, None), "blur": (2.0, 0.0, None), "h264": (0.0, 4.0, "34")}
# Share of a face that is seen of a whole one; and the clip in which a mouth opens and eyes blink.
WHOLE, TALKING = 0.98, "talking"
Frames = list[np.ndarray]


class Silent:
    """Hears nothing."""

    def begin(self, name: Path, frames: int, done: int) -> None:
        """A video begins."""

    def frame(self) -> None:
        """A frame is done."""

    def end(self, row: PictureRow) -> None:
        """A video is done."""


def restored(
    runtime: Runtime, frames: Frames, temporal: float
) -> tuple[Frames, list[list[np.ndarray]], int | None]:
    """The frames of the output, the landmarks by which each was restored, and the number of tracks."""
    used: dict[int, list[np.ndarray]] = {}
    paste = Pipeline.paste

    def seen(self: Pipeline, picture: Restored) -> Pasted:
        # By its place: frame by frame, several are restored at a time.
        used[picture.source.index] = [face.landmarks for face in picture.faces]
        return paste(self, picture)

    options = VideoOptions(temporal=temporal)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.mkv", Path(folder) / "out.mkv"
        write_video(source, frames, LOSSLESS)
        Pipeline.paste = seen  # type: ignore[method-assign]
        try:
            report = run_videos([runtime], plan_videos([str(source)], target, options), options, Silent())
        finally:
            Pipeline.paste = paste  # type: ignore[method-assign]
        return (
            rgb_frames(target),
            [used[at] for at in sorted(used)],
            report.video.tracks if report.video else None,
        )


def made(name: str, damage: str, count: int, height: int) -> tuple[list[ClipFrame], Frames]:
    """The clean frames and the damaged ones."""
    blur, noise, rate = DAMAGES[damage]
    clean = list(CLIPS[name].frames(count, height))
    frames = [damaged(each.pixels, at, blur=blur, noise=noise) for at, each in enumerate(clean)]
    if rate is not None:
        with tempfile.TemporaryDirectory() as folder:
            frames = rgb_frames(write_video(Path(folder) / "x.mp4", frames, Made(options={"crf": rate})))
    return clean, frames


def own_pixels(frame: ClipFrame, who: str) -> np.ndarray:
    """The pixels of a face: those of its ellipse that no other covers."""
    flags, shape = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, frame.owner.shape
    window = patch_window(frame.landmarks[who])
    inside = cv2.warpAffine(face_ellipse().astype(np.uint8), window, shape[::-1], flags=flags) > 0
    return inside & (frame.owner == list(frame.places).index(who))


def restored_at(used: list[list[np.ndarray]], clean: list[ClipFrame], who: str) -> list[int]:
    """The frames in which a face and the one before it are restored."""
    found = [
        any(apart(points, frame.landmarks[who]) < 0.4 for points in faces)
        if who in frame.landmarks
        else False
        for faces, frame in zip(used, clean, strict=True)
    ]
    return [at for at in range(1, len(found)) if found[at - 1] and found[at]]


def flicker(frames: Frames, clean: list[ClipFrame], who: str, which: list[int]) -> float:
    """The score without that of the clean clip taken off, grey levels; of pixels that are seen in both frames."""
    found = []
    for at in which:
        before, after = clean[at - 1].landmarks[who], clean[at].landmarks[who]
        motion, size = similarities(before[None], after)[0], frames[at].shape[1::-1]
        moved = cv2.warpAffine(
            frames[at - 1].astype(np.float32), motion, size, borderMode=cv2.BORDER_REPLICATE
        )
        seen = cv2.warpAffine(own_pixels(clean[at - 1], who).astype(np.float32), motion, size) > 0.99
        if (pixels := seen & own_pixels(clean[at], who)).any():
            found.append(np.abs(moved - frames[at])[pixels].mean())
    return float(np.mean(found))


def psnr(frames: Frames, clean: list[ClipFrame], who: str, part: str = "face") -> float:
    """Against the clean frames, dB; of the face, or of its mouth."""
    found = []
    for frame, truth in zip(frames, clean, strict=True):
        if who not in truth.landmarks:
            continue
        pixels = own_pixels(truth, who)
        if part == "mouth":
            pixels = pixels & mouth_pixels(truth, who)
        if pixels.any():
            found.append(np.square(frame.astype(float) - truth.pixels)[pixels].mean())
    return float(10 * np.log10(255**2 / max(float(np.mean(found)), 1e-9)))


def mouth_pixels(frame: ClipFrame, who: str) -> np.ndarray:
    """The pixels within one mouth's width of a mouth's middle."""
    left, right = frame.landmarks[who][3:]
    middle, reach = (left + right) / 2, 0.6 * float(np.hypot(*(right - left)))
    rows, columns = np.mgrid[0 : frame.owner.shape[0], 0 : frame.owner.shape[1]]
    return np.asarray(np.hypot(columns - middle[0], rows - middle[1]) < reach)


def errors(used: list[list[np.ndarray]], clean: list[ClipFrame], who: str) -> tuple[np.ndarray, np.ndarray]:
    """The landmarks by which a face was restored while all of it is seen, and the true ones."""
    pairs = [
        (points, frame.landmarks[who])
        for faces, frame in zip(used, clean, strict=True)
        if who in frame.landmarks and seen_share(frame, who) > WHOLE
        for points in faces
        if apart(points, frame.landmarks[who]) < 0.4
    ]
    return np.stack([ours for ours, _ in pairs]), np.stack([truth for _, truth in pairs])


def shaken(ours: np.ndarray, truth: np.ndarray) -> float:
    """What the error changes by from frame to frame, in units of the eye distance."""
    return shake((ours - truth) / np.array([eyes_of(each) for each in truth])[:, None, None])


def ghosts(used: list[list[np.ndarray]], clean: list[ClipFrame], name: str) -> int:
    """Faces that are restored where there is none; a face that fades has no known landmarks, and is not counted."""
    if name == "fade":
        return 0
    edge = [i for i, frame in enumerate(clean) if not frame.landmarks][:2]
    return sum(
        all(apart(points, truth) >= 0.4 for truth in frame.landmarks.values())
        for at, (faces, frame) in enumerate(zip(used, clean, strict=True))
        if at not in edge
        for points in faces
    )


def sheet(path: Path, at: int, columns: list[Frames], points: np.ndarray) -> None:
    """Three frames in a row, below each other; beside each other the columns, cut to the face at full size."""
    x, y = points.mean(axis=0)
    half = round(2.2 * float(np.hypot(*(points[1] - points[0]))))
    x, y = (
        round(max(half, min(each, size - half)))
        for each, size in zip((x, y), columns[0][at].shape[1::-1], strict=True)
    )
    rows = [
        np.hstack([frames[i][max(0, y - half) : y + half, max(0, x - half) : x + half] for frames in columns])
        for i in (at, at + 1, at + 2)
    ]
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


def main() -> None:
    """Prints a row of JSON for each face of each damaged clip."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--height", type=int, default=270)
    parser.add_argument("--clips", default=",".join(CLIPS))
    parser.add_argument("--damages", default=",".join(DAMAGES))
    parser.add_argument("--keep-detail", type=float, default=1.0)
    parser.add_argument("--temporal", type=float, default=VideoOptions().temporal)
    parser.add_argument("--sheets", type=Path)
    add_commit(parser)
    given = parser.parse_args()
    runtime = load_runtime(
        Settings.from_flat(
            model="gpen-lite-256", detector="lite", keep_detail=given.keep_detail, device="cpu"
        )
    )
    rows = []
    for name in given.clips.split(","):
        for damage in given.damages.split(","):
            clean, frames = made(name, damage, given.frames, given.height)
            alone, alone_at, _ = restored(runtime, frames, 0.0)
            steady, steady_at, tracks = restored(runtime, frames, given.temporal)
            for who in sorted({who for frame in clean for who in frame.landmarks}):
                which = restored_at(alone_at, clean, who)
                base = flicker([each.pixels for each in clean], clean, who, which)
                places = [errors(each, clean, who) for each in (alone_at, steady_at)]
                row = {
                    "clip": name, "damage": damage, "face": who, "tracks": tracks,
                    "ghosts": ghosts(steady_at, clean, name),
                    "flicker": [
                        round(flicker(each, clean, who, which) - base, 3) for each in (frames, alone, steady)
                    ],
                    "jitter": [round(landmark_jitter(*each), 5) for each in places],
                    "shake": [round(shaken(*each), 5) for each in places],
                    "psnr": [round(psnr(each, clean, who), 2) for each in (frames, alone, steady)],
                }  # fmt: skip
                if name == TALKING:
                    row["mouth"] = [
                        round(psnr(each, clean, who, "mouth"), 2) for each in (frames, alone, steady)
                    ]
                rows.append(row)
                print(json.dumps(row), flush=True)
                if given.sheets:
                    given.sheets.mkdir(parents=True, exist_ok=True)
                    at = next(
                        i for i, frame in enumerate(clean) if who in frame.landmarks and i >= len(clean) // 3
                    )
                    path = given.sheets / f"{name}-{damage}-{who.partition('.')[0]}.png"
                    sheet(path, at, [frames, alone, steady], clean[at].landmarks[who])
    document = {
        "schema": 1, "suite": "temporal", "version": __version__, "commit": commit(), "model": "gpen-lite-256",
        "frames": given.frames, "height": given.height, "temporal": given.temporal,
        "keep_detail": given.keep_detail, "rows": rows,
    }  # fmt: skip
    path = results_folder(given.commit) / "temporal.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(f"written: {path}")


if __name__ == "__main__":
    main()
