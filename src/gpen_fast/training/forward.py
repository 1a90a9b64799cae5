"""The generator's forward pass in the form that trains fast on a CPU: no grouped convolution, nothing scaled twice.

`training_forward(network, faces, dtype)` computes what `network(faces)` computes, and has its gradients. A modulated
convolution with demodulation equals a convolution with the shared weight between a scale of its input channels and a
scale of its output channels ("Analyzing and Improving the Image Quality of StyleGAN", Karras et al., 2020, appendix B).
For each face, the scales are applied to the weight or to the activations, whichever has fewer values. Latent, styles,
demodulation and RGB stay in float32.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpen_fast.gpen.layers import GAIN, LEAK, Blur, EqualConv2d, FusedLeakyReLU, ModulatedConv2d
from gpen_fast.gpen.reference import FullGenerator, StyledConv, ToRGB


def training_forward(
    network: FullGenerator, faces: Tensor, dtype: torch.dtype, *, together: bool = False
) -> Tensor:
    """Restores faces, with gradients.

    Args:
        network: The network that is trained.
        faces: (B,3,S,S) RGB in [-1,1].
        dtype: The type of convolutions and activations.
        together: All faces at once, as a GPU needs it; otherwise one after another, which is faster on a CPU.

    Returns:
        (B,3,S,S) float32.
    """
    if together:
        return _restored(network, faces, dtype)
    return torch.cat([_restored(network, face, dtype) for face in faces.split(1)])


def _restored(network: FullGenerator, face: Tensor, dtype: torch.dtype) -> Tensor:
    """(B,3,S,S) to (B,3,S,S). The comments and docstrings below say what one face has."""
    features, latent = _encoded(network, face.to(dtype, memory_format=torch.channels_last))
    decoder = network.generator
    # ModuleList does not know the type of its members.
    convs = cast("list[StyledConv]", list(decoder.convs))
    to_rgbs = cast("list[ToRGB]", list(decoder.to_rgbs))
    # (1,style_dim) -> (1,style_dim): the mapping network.
    latent = decoder.style(latent)
    # (1,C,4,4): the learned constant, then the first styled convolution and its RGB.
    x = decoder.input(len(face)).to(dtype, memory_format=torch.channels_last)
    x = _styled(decoder.conv1, x, latent, features.pop())
    rgb = _rgb(decoder.to_rgb1, x, latent)
    for i, to_rgb in enumerate(to_rgbs):
        feature = features.pop()
        # (1,C,H,W) -> (1,D,2H,2W): one upsampling styled convolution, one of the same size.
        for conv in convs[2 * i : 2 * i + 2]:
            x = _styled(conv, x, latent, feature)
        # (1,3,2H,2W): this size's RGB on top of the upsampled RGB of the size before.
        assert to_rgb.upsample is not None
        rgb = _rgb(to_rgb, x, latent) + to_rgb.upsample(rgb)
    return rgb


def _encoded(network: FullGenerator, x: Tensor) -> tuple[list[Tensor], Tensor]:
    """(1,3,S,S) to the features from S pixels down to 4, and the latent (1,style_dim)."""
    features = []
    for i in range(len(network.config.sides)):
        (layers,) = network.get_submodule(f"ecd{i}").children()
        for layer in layers.children():
            x = _encoder_layer(layer, x)
        features.append(x)
    return features, network.final_linear(x.float().flatten(1))


def _encoder_layer(layer: nn.Module, x: Tensor) -> Tensor:
    """The activation's gain is applied to the weight and the bias: leaky ReLU is positively homogeneous."""
    if isinstance(layer, Blur):
        return _blurred(layer, x)
    if isinstance(layer, EqualConv2d):
        weight = (layer.weight * (layer.scale * GAIN)).to(x.dtype, memory_format=torch.channels_last)
        return F.conv2d(x, weight, stride=layer.stride, padding=layer.padding)
    assert isinstance(layer, FusedLeakyReLU)
    return F.leaky_relu(x + _per_channel(layer.bias * GAIN, x), LEAK)


def _blurred(blur: Blur, x: Tensor) -> Tensor:
    """The FIR filter as a depthwise convolution: (1,C,H,W) to (1,C,H',W')."""
    weight = blur.kernel.to(x.dtype).expand(x.shape[1], 1, -1, -1)
    return F.conv2d(x, weight, padding=blur.pad, groups=x.shape[1])


def _styled(layer: StyledConv, x: Tensor, latent: Tensor, feature: Tensor) -> Tensor:
    """(1,C,H,W) to (1,2D,H,W): the convolution's output beside the encoder's feature, both activated."""
    bias = (layer.activate.bias * GAIN).to(x.dtype)
    conv_bias, feature_bias = bias.chunk(2)
    # (1,D,H,W): the convolution, with gain and bias.
    out = _modulated(layer.conv, x, latent, conv_bias)
    # (1,D,H,W): the feature times its learned weight, with gain and bias.
    scale = (layer.noise.weight * GAIN).to(x.dtype)
    skip = torch.addcmul(_per_channel(feature_bias, x), feature, scale)
    return F.leaky_relu(torch.cat([out, skip], dim=1), LEAK)


def _modulated(conv: ModulatedConv2d, x: Tensor, latent: Tensor, bias: Tensor) -> Tensor:
    """(1,C,H,W) to (1,D,H,W): the modulated convolution with the activation's gain and bias, not yet activated."""
    if len(x) > 1:
        return _modulated_together(conv, x, latent, bias)
    # (C): the style. (D,C,k,k): the shared weight. (D): the demodulation, times the activation's gain.
    style = conv.modulation(latent)[0]
    weight = conv.weight[0] * conv.scale
    demodulation = GAIN * torch.rsqrt((weight**2).sum((2, 3)) @ style**2 + 1e-8)
    if x.numel() >= weight.numel():
        # Fewer weights than activations: scale the weight.
        weight = weight * (demodulation[:, None] * style)[:, :, None, None]
        return _convolved(conv, x, weight) + _per_channel(bias, x)
    out = _convolved(conv, x * _per_channel(style, x), weight)
    return torch.addcmul(_per_channel(bias, x), out, _per_channel(demodulation, x))


def _modulated_together(conv: ModulatedConv2d, x: Tensor, latent: Tensor, bias: Tensor) -> Tensor:
    """(B,C,H,W) to (B,D,H,W): one shared weight; each face's scales go to its activations."""
    style = conv.modulation(latent)
    weight = conv.weight[0] * conv.scale
    demodulation = GAIN * torch.rsqrt(style**2 @ (weight**2).sum((2, 3)).T + 1e-8)
    out = _convolved(conv, x * style.to(x.dtype)[:, :, None, None], weight)
    return torch.addcmul(_per_channel(bias, x), out, demodulation.to(x.dtype)[:, :, None, None])


def _convolved(conv: ModulatedConv2d, x: Tensor, weight: Tensor) -> Tensor:
    """(1,C,H,W) to (1,D,H,W), or to (1,D,2H,2W) by a transposed convolution and the FIR filter."""
    weight = weight.to(x.dtype, memory_format=torch.channels_last)
    if conv.blur is None:
        return F.conv2d(x, weight, padding=conv.padding)
    return _blurred(conv.blur, F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))


def _rgb(layer: ToRGB, x: Tensor, latent: Tensor) -> Tensor:
    """(1,C,H,W) to (1,3,H,W) float32: this size's RGB without the upsampled skip."""
    conv = layer.conv
    style = conv.modulation(latent)
    if len(x) > 1:
        x, style = x * style.to(x.dtype)[:, :, None, None], torch.ones_like(style)
    weight = conv.weight[0] * (conv.scale * style[0][:, None, None])
    return F.conv2d(x, weight.to(x.dtype)).float() + layer.bias


def _per_channel(values: Tensor, x: Tensor) -> Tensor:
    """(C) values as (1,C,1,1) of x's type."""
    return values.to(x.dtype)[None, :, None, None]
