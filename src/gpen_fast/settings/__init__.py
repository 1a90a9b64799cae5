"""Every option with its default, in one frozen dataclass for each part that takes them. Imports no torch."""

from __future__ import annotations

from gpen_fast.settings.live import LiveOptions
from gpen_fast.settings.output import (
    FAST,
    ON_CLASH,
    PNG_LEVELS,
    SAME,
    SMALL,
    OnClash,
    OutputOptions,
    PngLevel,
    formats,
    suffix_of,
)
from gpen_fast.settings.parts import (
    AUTO_SIZE,
    FULL_SIZE,
    MAX_PIXELS,
    PRECISIONS,
    RANDOM,
    STAGES,
    TEMPLATES,
    VIDEO_STAGES,
    DetectOptions,
    DetectSizeName,
    GenerateOptions,
    LoadOptions,
    PasteOptions,
    PrecisionName,
    StageName,
    TemplateName,
    WeightsOptions,
    cpu_lanes,
)
from gpen_fast.settings.video import VideoOptions
from gpen_fast.settings.whole import (
    Settings,
)

__all__ = [
    "AUTO_SIZE",
    "FAST",
    "FULL_SIZE",
    "MAX_PIXELS",
    "ON_CLASH",
    "PNG_LEVELS",
    "PRECISIONS",
    "RANDOM",
    "SAME",
    "SMALL",
    "STAGES",
    "TEMPLATES",
    "VIDEO_STAGES",
    "DetectOptions",
    "DetectSizeName",
    "GenerateOptions",
    "LiveOptions",
    "LoadOptions",
    "OnClash",
    "OutputOptions",
    "PasteOptions",
    "PngLevel",
    "PrecisionName",
    "Settings",
    "StageName",
    "TemplateName",
    "VideoOptions",
    "WeightsOptions",
    "cpu_lanes",
    "formats",
    "suffix_of",
]
