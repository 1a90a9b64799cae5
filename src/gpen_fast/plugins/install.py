"""What a user installs where a module that a plug-in imports is absent."""

from __future__ import annotations

import importlib.util
import re
from importlib import metadata

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
