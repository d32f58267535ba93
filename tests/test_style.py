"""Style-based networks: equalised layers, AdaIN and the statistics an encoder finds, noise, growing, sizes."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from aae_lib import style
from aae_lib.networks import blank, initialise
from aae_lib.style import MappingNetwork, StyledLayer, StyleEncoder, StyleGenerator, equalised

CHANNELS, Z = (6, 5, 4), 3  # 4x4, 8x8, 16x16


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def generator(channels=CHANNELS) -> StyleGenerator:
    network = StyleGenerator(channels, 2, Z)
    initialise(network, 0)
    return network


def encoder(channels=CHANNELS) -> StyleEncoder:
    network = StyleEncoder(channels, 2, Z)
    initialise(network, 0)
    return network


def statistics_of_outputs(network: StyleGenerator, w: torch.Tensor) -> list[torch.Tensor]:
    """[μ; σ] of what each of the generator's layers gives."""
    found = []
    hooks = [
        layer.register_forward_hook(lambda _, __, output: found.append(style.statistics(output)[0]))
        for layer in network.styled
    ]
    network(w)
    for hook in hooks:
        hook.remove()
    return found


def asked_for(layer: StyledLayer, w: torch.Tensor) -> torch.Tensor:
    """[μ; σ] that w asks of a layer: its b and |1 + s|."""
    scale, shift = layer.style(w).chunk(2, dim=1)
    return torch.cat([shift, (1 + scale).abs()], dim=1)


class TestEqualised:
    @pytest.mark.parametrize("factor", [1.0, 0.1])
    def test_the_weight_is_what_is_learnt_times_gain_and_factor_over_the_root_of_fan_in(self, factor):
        layer = equalised(blank(nn.Conv2d, 4, 50, 3), gain=2.0, learning_rate_factor=factor)
        initialise(layer, 0)
        learnt = layer.parametrizations.weight.original
        assert torch.allclose(layer.weight, learnt * 2.0 * factor / math.sqrt(4 * 9))
        assert learnt.std().item() == pytest.approx(1 / factor, rel=0.05)
        assert not layer.bias.any()

    def test_a_bias_learns_slower_by_the_factor_too(self):
        layer = equalised(blank(nn.Linear, 2, 3), learning_rate_factor=0.1)
        layer.parametrizations.bias.original.data.fill_(5.0)
        assert torch.allclose(layer.bias, torch.tensor(0.5))

    def test_weights_come_from_the_seed_and_leave_the_global_generator_alone(self):
        before = torch.get_rng_state()
        first, second = generator(), generator()
        assert torch.equal(torch.get_rng_state(), before)
        for one, other in zip(first.parameters(), second.parameters(), strict=True):
            assert torch.equal(one, other)

    def test_a_copy_has_weights_of_its_own(self):
        layer = equalised(blank(nn.Linear, 2, 3))
        initialise(layer, 0)
        twin, before = copy.deepcopy(layer), layer.weight.clone()
        assert torch.equal(twin.weight, before)
        initialise(twin, 1)
        assert torch.equal(layer.weight, before)
        assert not torch.equal(twin.weight, before)


class TestPieces:
    def test_enlarging_is_nearest_neighbours_then_the_convolution(self):
        x, weight = numbers(2, 3, 4, 4), numbers(5, 3, 3, 3)
        plain = F.conv2d(F.interpolate(x, scale_factor=2), weight, padding=1)
        assert torch.allclose(style.enlarge_and_convolve(x, weight), plain, atol=1e-5)

    def test_halving_is_the_convolution_then_the_mean_of_four(self):
        x, weight = numbers(2, 3, 4, 4), numbers(5, 3, 3, 3)
        plain = F.avg_pool2d(F.conv2d(x, weight, padding=1), 2)
        assert torch.allclose(style.convolve_and_halve(x, weight), plain, atol=1e-5)

    def test_blur_spreads_a_point_by_1_2_1_and_keeps_channels_apart(self):
        x = torch.zeros(1, 2, 5, 5)
        x[0, 1, 2, 2] = 16
        blurred = style.Blur(2)(x)
        assert torch.equal(blurred[0, 1, 1:4, 1:4], torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]))
        assert blurred.sum() == 16
        assert not blurred[0, 0].any()

    def test_the_mapping_network_sees_the_direction_of_z_alone(self):
        network, z = MappingNetwork(Z, 2), numbers(4, Z)
        initialise(network, 0)
        assert torch.allclose(network(z), network(7 * z), atol=1e-4)
        assert not torch.allclose(network(z), network(-z), atol=1e-2)

    def test_statistics_of_a_channel_by_hand(self):
        x = torch.tensor([1.0, 3.0, 1.0, 3.0]).reshape(1, 1, 2, 2)
        found, normalised = style.statistics(x)
        assert torch.allclose(found, torch.tensor([[2.0, 1.0]]))
        assert torch.allclose(normalised, x - 2)

    def test_statistics_of_a_flat_channel_have_a_gradient(self):
        x = torch.ones(1, 1, 4, 4, requires_grad=True)
        style.statistics(x)[0].sum().backward()
        assert torch.isfinite(x.grad).all()


class TestGenerator:
    def test_the_statistics_that_adain_gives_are_found_again(self):
        x, wanted = numbers(2, 3, 8, 8), numbers(2, 6, seed=1)
        found, _ = style.statistics(style.adaptive_instance_norm(x, wanted))
        scale, shift = wanted.chunk(2, dim=1)
        assert torch.allclose(found, torch.cat([shift, (1 + scale).abs()], dim=1), atol=1e-5)

    def test_every_layer_has_the_statistics_of_its_own_w(self):
        network, w = generator(), numbers(2, 6, Z)
        for number, found in enumerate(statistics_of_outputs(network, w)):
            assert torch.allclose(found, asked_for(network.styled[number], w[:, number]), atol=1e-4)

    def test_one_w_stands_for_all_layers(self):
        network, w = generator(), numbers(2, Z)
        assert torch.equal(network(w), network(w[:, None].expand(-1, 6, -1)))

    def test_mixing_takes_coarse_layers_from_one_w_and_fine_ones_from_another(self):
        network, coarse, fine = generator(), numbers(1, Z), numbers(1, Z, seed=1)
        mixed = torch.stack([coarse, coarse, fine, fine, fine, fine], dim=1)
        found = statistics_of_outputs(network, mixed)
        for number, of_coarse in enumerate(statistics_of_outputs(network, coarse)):
            if number < 2:
                assert torch.equal(found[number], of_coarse)
            else:
                assert torch.allclose(found[number], asked_for(network.styled[number], fine), atol=1e-4)

    def test_noise_is_off_at_first_and_comes_from_the_generator_alone(self):
        network, w = generator(), numbers(2, Z)
        noisy = [network(w, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
        assert torch.equal(noisy[0], network(w))
        for layer in network.styled:
            layer.noise_strength.data.fill_(1)
        noisy = [network(w, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
        assert torch.equal(noisy[0], noisy[1])
        assert not torch.equal(noisy[0], noisy[2])
        assert torch.equal(network(w), network(w))

    def test_w_of_an_image_does_not_change_another(self):
        network, w = generator(), numbers(3, Z)
        assert torch.allclose(network(w)[1:], network(w[1:]), atol=1e-5)


class TestEncoder:
    def test_w_is_a_linear_map_of_the_means_and_deviations_of_its_layers(self):
        network, image = encoder((3,)), numbers(2, 2, 4, 4)
        block = network.blocks[0]
        x = F.leaky_relu(block.first(F.leaky_relu(network.from_image[0](image), 0.2)), 0.2)  # (2, 3, 4, 4)
        mean, deviation = x.mean(dim=(2, 3)), x.std(dim=(2, 3), correction=0)
        normalised = (x - mean[..., None, None]) / deviation[..., None, None]
        last = F.leaky_relu(block.second(normalised.flatten(1)), 0.2)
        by_hand = block.gather[0](torch.cat([mean, deviation], dim=1)) + block.gather[1](last)
        assert torch.allclose(network(image), by_hand, atol=1e-5)

    def test_every_block_has_its_share_in_w(self):
        network, images = encoder(), numbers(2, 2, 16, 16)
        for block in network.blocks:
            for gather in block.gather:
                before = network(images)
                gather.bias.data += 1
                assert torch.allclose(network(images), before + 1, atol=1e-5)


class TestGrowing:
    def test_at_fade_0_the_generator_is_the_old_one(self):
        network, w = generator(), numbers(2, Z)
        old = F.interpolate(network(w, blocks=2), scale_factor=2)
        assert torch.equal(network(w, blocks=3, fade=0.0), old)
        assert torch.allclose(network(w, fade=0.25), 0.75 * old + 0.25 * network(w), atol=1e-6)

    def test_at_fade_0_the_encoder_is_the_old_one(self):
        network, images = encoder(), numbers(2, 2, 16, 16)
        old = network(F.avg_pool2d(images, 2), blocks=2)
        assert torch.equal(network(images, blocks=3, fade=0.0), old)
        assert not torch.allclose(network(images, fade=0.5), old, atol=1e-2)

    def test_at_fade_1_old_images_play_no_part(self):
        both, w, images = (generator(), encoder()), numbers(2, Z), numbers(2, 2, 16, 16)
        before = both[0](w, fade=1.0), both[1](images, fade=1.0)
        for weight in [*both[0].to_image[1].parameters(), *both[1].from_image[1].parameters()]:
            weight.data.fill_(9.0)
        assert torch.equal(both[0](w, fade=1.0), before[0])
        assert torch.equal(both[1](images, fade=1.0), before[1])

    @pytest.mark.parametrize(("blocks", "side"), [(1, 4), (2, 8), (3, 16)])
    def test_blocks_in_use_set_the_size(self, blocks, side):
        image = generator()(numbers(2, Z), blocks=blocks)
        assert image.shape == (2, 2, side, side)
        assert encoder()(image, blocks=blocks).shape == (2, Z)


class TestSizes:
    PAPER = (512, 512, 512, 512, 256, 128, 64, 32, 16)

    def test_the_table_of_channels_is_the_papers(self):
        assert style.channel_table(1024, most=512, last=16) == self.PAPER
        assert style.channel_table(32, most=32, last=8) == (32, 32, 16, 8)

    def test_1024_pixels_have_the_papers_channels(self):
        with torch.device("meta"):
            images_of, codes_of = StyleGenerator(self.PAPER, 3, 512), StyleEncoder(self.PAPER, 3, 512)
            images = images_of(torch.empty(1, 512))
            w = codes_of(images)
        assert images.shape == (1, 3, 1024, 1024)
        assert w.shape == (1, 512)
        assert images_of.layers == 18
        assert tuple(len(layer.bias) for layer in images_of.styled[::2]) == self.PAPER
        assert tuple(len(layer.bias) for layer in codes_of.from_image) == self.PAPER
        convolutions = [layer.convolution.weight.numel() for layer in images_of.styled[1:]]
        wide = (None, *self.PAPER)
        assert convolutions == [
            9 * out * into
            for before, out in zip(wide, self.PAPER, strict=False)
            for into in (before, out)
            if into is not None
        ]
