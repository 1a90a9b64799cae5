"""The generator's function in the form that trains fast on a CPU: no grouped convolution, nothing scaled twice.

`restored(network, faces, dtype)` computes what `network(faces)` does and has its gradients. A modulated
convolution with demodulation is a convolution by the shared weight between a scale of its input channels and a
scale of its output channels ("Analyzing and Improving the Image Quality of StyleGAN", Karras et al., 2020,
appendix B). Face by face, whichever of weight and activations is smaller takes the scales. Latent, styles,
demodulation and RGB stay in float32.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpen_fast.gpen.layers import GAIN, LEAK, Blur, EqualConv2d, FusedLeakyReLU, ModulatedConv2d
from gpen_fast.gpen.reference import FullGenerator, StyledConv, ToRGB


def restored(network: FullGenerator, faces: Tensor, dtype: torch.dtype) -> Tensor:
    """(B,3,S,S) RGB in [-1,1] to the same shape, float32; convolutions and activations in `dtype`."""
    return torch.cat([_restored_one(network, face, dtype) for face in faces.split(1)])


def _restored_one(network: FullGenerator, face: Tensor, dtype: torch.dtype) -> Tensor:
    features, latent = _encoded(network, face.to(dtype, memory_format=torch.channels_last))
    decoder: Any = network.generator
    latent = decoder.style(latent)
    x = decoder.input(1).to(dtype, memory_format=torch.channels_last)
    x = _styled(decoder.conv1, x, latent, features.pop())
    rgb = _rgb(decoder.to_rgb1, x, latent)
    for i, to_rgb in enumerate(decoder.to_rgbs):
        feature = features.pop()
        for conv in decoder.convs[2 * i : 2 * i + 2]:
            x = _styled(conv, x, latent, feature)
        rgb = _rgb(to_rgb, x, latent) + to_rgb.upsample(rgb)
    return rgb


def _encoded(network: FullGenerator, x: Tensor) -> tuple[list[Tensor], Tensor]:
    """The features from S pixels down to 4, and the latent."""
    features = []
    for i in range(len(network.config.sides)):
        (layers,) = network.get_submodule(f"ecd{i}").children()
        for layer in layers.children():
            x = _encoder_layer(layer, x)
        features.append(x)
    return features, network.final_linear(x.float().flatten(1))


def _encoder_layer(layer: nn.Module, x: Tensor) -> Tensor:
    """The activation's gain goes into the convolution and the bias: leaky ReLU is positively homogeneous."""
    if isinstance(layer, Blur):
        return _blurred(layer, x)
    if isinstance(layer, EqualConv2d):
        weight = (layer.weight * (layer.scale * GAIN)).to(x.dtype, memory_format=torch.channels_last)
        return F.conv2d(x, weight, stride=layer.stride, padding=layer.padding)
    assert isinstance(layer, FusedLeakyReLU)
    return F.leaky_relu(x + _per_channel(layer.bias * GAIN, x), LEAK)


def _blurred(blur: Blur, x: Tensor) -> Tensor:
    weight = blur.kernel.to(x.dtype).expand(x.shape[1], 1, -1, -1)
    return F.conv2d(x, weight, padding=blur.pad, groups=x.shape[1])


def _styled(layer: StyledConv, x: Tensor, latent: Tensor, feature: Tensor) -> Tensor:
    bias = (layer.activate.bias * GAIN).to(x.dtype)
    own, injected = bias.chunk(2)
    out = _modulated(layer.conv, x, latent, own)
    share = (layer.noise.weight * GAIN).to(x.dtype)
    skip = torch.addcmul(_per_channel(injected, x), feature, share)
    return F.leaky_relu(torch.cat([out, skip], dim=1), LEAK)


def _modulated(conv: ModulatedConv2d, x: Tensor, latent: Tensor, bias: Tensor) -> Tensor:
    """The convolution with the activation's gain and bias, not yet activated."""
    style = conv.modulation(latent)[0]
    weight = conv.weight[0] * conv.scale
    demodulation = GAIN * torch.rsqrt((weight**2).sum((2, 3)) @ style**2 + 1e-8)
    if x.numel() >= weight.numel():
        weight = weight * (demodulation[:, None] * style)[:, :, None, None]
        return _convolved(conv, x, weight) + _per_channel(bias, x)
    out = _convolved(conv, x * _per_channel(style, x), weight)
    return torch.addcmul(_per_channel(bias, x), out, _per_channel(demodulation, x))


def _convolved(conv: ModulatedConv2d, x: Tensor, weight: Tensor) -> Tensor:
    weight = weight.to(x.dtype, memory_format=torch.channels_last)
    if conv.blur is None:
        return F.conv2d(x, weight, padding=conv.padding)
    return _blurred(conv.blur, F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))


def _rgb(layer: ToRGB, x: Tensor, latent: Tensor) -> Tensor:
    """This size's RGB, without the upsampled skip."""
    conv = layer.conv
    weight = conv.weight[0] * (conv.scale * conv.modulation(latent)[0][:, None, None])
    return F.conv2d(x, weight.to(x.dtype)).float() + layer.bias


def _per_channel(values: Tensor, x: Tensor) -> Tensor:
    """(C) as something that multiplies or adds to a (1,C,H,W) tensor of x's dtype."""
    return values.to(x.dtype)[None, :, None, None]
