"""Opening a network is quick: it imports nothing that inference does not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_opening_a_network_imports_no_compiler(tiny_weights: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gpen_fast.gpen.checkpoint import build\n"
        "build(Path(sys.argv[1]))\n"
        "print(sorted({'sympy', 'torch._dynamo'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, tiny_weights], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
