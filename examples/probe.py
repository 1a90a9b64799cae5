"""Fails if the installation is incomplete: imports what the pipeline needs and lets torch compute a sum."""

import cv2
import facexlib
import torch
import torchvision

import gpen_fast.cli.app
import gpen_fast.run.enhance
import gpen_fast.store.pull

if __name__ == "__main__":
    assert torch.ones(2).sum() == 2
    print(
        f"ready: torch {torch.__version__}, torchvision {torchvision.__version__}, OpenCV {cv2.__version__}"
    )
    assert facexlib and gpen_fast.run.enhance and gpen_fast.cli.app and gpen_fast.store.pull
