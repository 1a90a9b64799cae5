"""What a user installs where a module is absent, or is present and cannot be loaded."""

from __future__ import annotations

import importlib.util
import re
from importlib import metadata

from gpen_fast.errors import kind_and_line

OURS = "gpen-fast"
# Module to package, where the names differ: an absent package cannot be asked for its modules.
PACKAGES = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "pillow_heif": "pillow-heif",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
    "zlib_ng": "zlib-ng",
}
# A line of a package's requirements: name and versions; the extra that it belongs to.
_REQUIREMENT = re.compile(r"""([A-Za-z0-9._-]+)([^;]*)(?:;.*\bextra\s*==\s*['"]([^'"]+))?""")
_FOR_DEVELOPERS = frozenset({"test", "dev"})
# How Linux says that a shared library is absent, and that memory does not suffice to load one.
_ABSENT_LIBRARY = re.compile(r"(\S+\.so[.\d]*): cannot open shared object file")
_NO_MEMORY = ("failed to map segment", "cannot allocate memory")
# Debian's packages that hold what opencv-python links to: libGL, libxcb and libgthread among them. Later releases call
# the second one libglib2.0-0t64, and apt finds it by this name too.
_OPENCV_LIBRARIES = "apt-get install libgl1 libglib2.0-0"
# One folder cv2 belongs to both packages, so the first goes before the second comes.
HEADLESS = "pip uninstall -y opencv-python && pip install opencv-python-headless"
# Each of these packages installs the module cv2.
OPENCV_PACKAGES = (
    "opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless",
)  # fmt: skip


def absent_module(module: str, owner: str, extra: str | None) -> str:
    """Says what an absent module belongs to and how it is installed.

    Args:
        module: The module that could not be imported, dotted.
        owner: The package whose plug-in imports it.
        extra: The extra of `owner` that the plug-in declares; None: found in the requirements of `owner`.

    Returns:
        The end of a sentence that begins with "... needs".
    """
    top = module.partition(".")[0]
    if top == "gpen_fast":
        return f"the module {module}, which gpen-fast does not have. Correct the import in its file."
    package = PACKAGES.get(top, top.replace("_", "-"))
    if module != top and importlib.util.find_spec(top) is not None:
        return (
            f"the module {module}, which the installed {package} does not have. "
            f"Try: pip install --upgrade {package}"
        )
    known = f"the package {package}, which is not installed."
    if extra := extra or _extra_of(package, owner):
        return f"{known} Try: pip install '{owner}[{extra}]'"
    if versions := _versions_of(package, owner):
        return f"{known} Try: pip install '{package}{versions}'"
    if top in PACKAGES:
        return f"{known} Try: pip install {package}"
    return (
        f"the module {top}, which is not installed. "
        f"Install the package that holds it; if that has the same name: pip install {package}"
    )


def lacks_memory(error: ImportError | OSError) -> bool:
    """Whether a library was not loaded because memory does not suffice, which no installation changes."""
    return any(words in str(error).lower() for words in _NO_MEMORY)


def lacks_library(error: BaseException) -> bool:
    """Whether a package was not loaded because the system lacks a shared library."""
    return _ABSENT_LIBRARY.search(str(error)) is not None


def import_failure(error: ImportError | OSError, module: str | None = None) -> tuple[str, str]:
    """Says why a module that gpen-fast needs cannot be imported, and what helps.

    Args:
        error: What the import raised; torch raises OSError where a library under it is absent.
        module: What was imported; None: as the error says.

    Returns:
        The cause, a clause without a full stop; and the cure, a command where there is one, else an instruction.
    """
    module = (module or getattr(error, "name", None) or "").partition(".")[0]
    package = PACKAGES.get(module, module.replace("_", "-"))
    if lacks_memory(error):
        return (
            f"memory does not suffice to load {package or 'a package'}",
            "more memory, or a higher `ulimit -v`",
        )
    if isinstance(error, ModuleNotFoundError):
        lacking, _, cure = absent_module(error.name or module, OURS, None).partition(". Try: ")
        return f"gpen-fast needs {lacking.rstrip('.')}", cure or "pip install --force-reinstall gpen-fast"
    library = _ABSENT_LIBRARY.search(str(error))
    if library and module == "cv2":
        cure = f"{_OPENCV_LIBRARIES} (Debian, Ubuntu); or, without it, {HEADLESS}"
        return f"OpenCV needs the system library {library[1]}, which is not installed", cure
    if library:
        cure = f"install the system's package that holds {library[1]}"
        return f"{package or 'a package'} needs the system library {library[1]}, which is not installed", cure
    return (
        f"{package or 'a package'} cannot be imported ({kind_and_line(error)})",
        f"pip install --force-reinstall {package or OURS}",
    )


def _requirements(owner: str) -> list[tuple[str, str, str | None]]:
    """Name, versions and extra of each package that an installed package requires."""
    try:
        lines = metadata.requires(owner) or []
    except metadata.PackageNotFoundError:  # run from its sources
        lines = []
    found = [_REQUIREMENT.match(line) for line in lines]
    return [(match[1].lower(), match[2].replace(" ", ""), match[3]) for match in found if match]


def _extra_of(package: str, owner: str) -> str | None:
    """The first extra that installs the package, unless every installation has it."""
    required = _requirements(owner)
    extras = [extra for name, _, extra in required if name == package and extra not in _FOR_DEVELOPERS]
    return None if None in extras else next(iter(extras), None)


def _versions_of(package: str, owner: str) -> str:
    """The accepted versions of a package that every installation has; empty for others."""
    required = _requirements(owner)
    return next((versions for name, versions, extra in required if name == package and extra is None), "")
