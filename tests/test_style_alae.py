"""StyleALAE: who moves in which step, losses by hand, averaged weights, stages, mixing, and what a code is."""

from __future__ import annotations

import copy
import math
import signal

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from aae_lib import fit, restore, save
from aae_lib.losses import bce
from aae_lib.networks import blank
from aae_lib.systems import Batch, StyleAdversarialLatentAutoencoder

SHAPE = (1, 16, 16)
SMALL = dict(latent_dim=4, channels=(6, 5, 4), mapping_layers=2, discriminator_layers=2, gamma=1.0)


def alae(shape=SHAPE, **settings) -> StyleAdversarialLatentAutoencoder:
    return StyleAdversarialLatentAutoencoder(shape, **{**SMALL, **settings})


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def images(count: int = 24, shape=SHAPE) -> torch.Tensor:
    return torch.randint(0, 256, (count, *shape), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def batch(system, seed: int = 1, progress: float = 0.0) -> Batch:
    seen = system.pixels(images(8, system.image_shape))
    return Batch(seen, None, torch.Generator().manual_seed(seed), progress=progress)


def train(system, updates: int = 4, **settings):
    chosen = dict(batch_size=8, device="cpu", precision="float32", progress=False)
    return fit(system, images(shape=system.image_shape), updates=updates, **{**chosen, **settings})


def weights(system) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in system.state_dict().items()}


def same(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def gradients(system, phase) -> set[str]:
    """The networks whose weights the phase's loss gives a gradient, of those that ``fit`` lets move."""
    learning = {id(weight) for weight in phase.weights()}
    for weight in system.parameters():
        weight.grad = None
        weight.requires_grad_(id(weight) in learning)
    phase.loss(batch(system)).sum().backward()
    named = system.named_parameters()
    return {name.split(".")[0] for name, weight in named if weight.grad is not None and weight.grad.any()}


class TestSteps:
    def test_each_step_moves_its_two_networks_and_none_else(self):
        system = alae()
        assert {phase.name: gradients(system, phase) for phase in system.phases()} == {
            "discriminator": {"encoder", "discriminator"},
            "gradient penalty": {"encoder", "discriminator"},
            "generator": {"mapping", "decoder"},
            "reciprocity": {"encoder", "decoder"},
        }

    def test_the_penalty_comes_at_every_eighth_update_eight_times_as_large(self):
        phase = alae(gamma=3.0).phases()[1]
        assert (phase.name, phase.every, phase.factors) == ("gradient penalty", 8, (24.0,))
        assert "gradient penalty" not in [phase.name for phase in alae(gamma=0).phases()]

    def test_one_optimizer_moves_all_and_reciprocity_counts_as_a_mean_over_dimensions(self):
        first, *others = alae().phases()
        assert {phase.optimizer for phase in others} == {first.name}
        assert others[-1].factors == (1 / 4,)

    def test_the_game_at_its_equilibrium(self):
        system = alae()
        for weight in system.discriminator[-1].parameters():
            weight.data.zero_()
        assert system.discriminator_loss(batch(system)).item() == pytest.approx(2 * math.log(2))
        assert system.generator_loss(batch(system)).item() == pytest.approx(math.log(2))
        assert system.penalty_loss(batch(system)).item() == 0

    def test_the_discriminator_calls_real_images_1_and_generated_ones_0(self):
        system, judged = alae(), []
        judge = system._judge
        system._judge = lambda seen: judged.append((seen, judge(seen))) or judged[-1][1]
        given = batch(system)
        loss = system.discriminator_loss(given)
        (real, of_real), (_, of_fake) = judged
        assert torch.equal(real, given.images)
        assert torch.allclose(loss, F.softplus(-of_real).mean() + F.softplus(of_fake).mean())

    def test_the_generator_wants_its_images_called_1(self):
        system, judged = alae(), []
        judge = system._judge
        system._judge = lambda seen: judged.append(judge(seen)) or judged[-1]
        loss = system.generator_loss(batch(system))
        assert torch.equal(loss, bce(judged[0], 1))

    @pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
    def test_r1_of_a_linear_judge_is_half_its_squared_slope(self, precision):
        system, slope = alae(), blank(nn.Linear, 256, 1)
        slope.weight.data.copy_(numbers(1, 256))
        slope.bias.data.zero_()
        system._judge = lambda seen: slope(seen.flatten(1)).squeeze(1)
        with torch.autocast("cpu", dtype=precision, enabled=precision != torch.float32):
            penalty = system.penalty_loss(batch(system))
        assert penalty.item() == pytest.approx(0.5 * slope.weight.square().sum().item(), rel=1e-5)

    def test_reciprocity_is_the_squared_distance_of_w_and_the_w_found_in_its_image(self):
        system = alae()
        for block in system.encoder.blocks:
            for weight in block.gather.parameters():
                weight.data.zero_()  # E answers 0 to everything
        w = system.mapping(numbers(8, 4, seed=1))
        assert system.reciprocity_loss(batch(system)).item() == pytest.approx(w.square().sum(dim=1).mean().item())

    @pytest.mark.parametrize("precision", ["float32", "bfloat16"])
    def test_a_training_is_healthy_and_its_losses_are_named(self, precision):
        history = train(alae(), 9, precision=precision)
        assert set(history.losses) == {"discriminator", "gradient penalty", "generator", "reciprocity"}
        assert history.health() == "healthy"


class TestMixing:
    def test_a_mixed_image_has_two_sources_that_cross_at_one_layer(self):
        system = alae(mixing=0.999)
        w = system._mixed_codes(batch(system))  # (8, 6, 4)
        changes = (w[:, 1:] != w[:, :-1]).any(dim=2).sum(dim=1)
        assert changes.tolist() == [1] * 8

    def test_without_mixing_all_layers_have_one_w(self):
        system = alae(mixing=0.0)
        w = system._mixed_codes(batch(system))
        assert torch.equal(w, w[:, :1].expand_as(w))

    def test_while_it_grows_sources_cross_within_the_blocks_in_use(self):
        system = alae(mixing=0.999, growing=True)
        w = system._mixed_codes(batch(system))[:, :4]
        assert ((w[:, 1:] != w[:, :-1]).any(dim=2).sum(dim=1) == 1).all()

    def test_decode_takes_one_w_for_each_layer(self):
        system = alae()
        coarse, fine = system.draw_codes(2)
        w = torch.stack([coarse, coarse, fine, fine, fine, fine])[None]
        assert system.decode(w).shape == (1, *SHAPE)
        assert torch.equal(system.decode(coarse.expand(1, 6, -1)), system.decode(coarse[None]))
        assert not torch.equal(system.decode(w), system.decode(coarse[None]))


class TestAverages:
    def test_averages_by_hand_over_three_updates(self):
        system, seen = alae(averaging=0.9), []
        train(system, 3, callbacks=[lambda moment: seen.append(copy.deepcopy(moment.system.decoder.state_dict()))])
        used = system.used.module["decoder"].state_dict()
        assert len(seen) == 4
        for name, first in seen[1].items():  # of the first update, where the average begins
            by_hand = 0.9 * (0.9 * first + 0.1 * seen[2][name]) + 0.1 * seen[3][name]
            assert torch.allclose(used[name], by_hand, atol=1e-6), name

    def test_averages_are_what_is_used(self):
        system = alae()
        before = system.sample(2), system.encode(images(2))
        for network in (system.mapping, system.decoder, system.encoder):
            for weight in network.parameters():
                weight.data.add_(1.0)
        assert torch.equal(system.sample(2), before[0])
        assert torch.equal(system.encode(images(2)), before[1])


class TestResuming:
    @pytest.mark.parametrize("stages", [0, 1])
    def test_stopped_and_resumed_is_bit_equal(self, tmp_path, stages):
        def grown():
            system = alae(growing=bool(stages))
            for _ in range(stages):
                system.grow()
            return system

        def stop(moment):
            if moment.update == 3:
                signal.raise_signal(signal.SIGINT)

        whole, halves, path = grown(), grown(), tmp_path / "training"
        train(whole, 10)
        assert train(halves, 10, checkpoint=path, callbacks=[stop]).interrupted
        assert not stages or 0 < float(halves.fade) < 1
        resumed = grown()
        assert train(resumed, 10, checkpoint=path).update == 10
        assert same(weights(whole), weights(resumed))
        assert torch.equal(whole.sample(3), resumed.sample(3))

    def test_a_checkpoint_of_another_stage_is_refused(self, tmp_path):
        system, path = alae(growing=True), tmp_path / "training"
        train(system, 1, checkpoint=path)
        system.grow()
        with pytest.raises(ValueError, match="stage 0 instead of 1"):
            train(system, 1, checkpoint=path)

    def test_saved_and_restored_a_grown_system_decodes_the_same(self, tmp_path):
        system = alae(growing=True)
        train(system, 2)
        system.grow()
        train(system, 2)
        save(system, tmp_path / "system")
        twin = restore(tmp_path / "system")
        assert (twin.stage, float(twin.fade)) == (1, float(system.fade))
        assert torch.equal(twin.sample(2), system.sample(2))
        assert torch.equal(twin.reconstruct(images(2)), system.reconstruct(images(2)))


class TestGrowing:
    def test_stages_double_the_resolution_up_to_the_last(self):
        system = alae(growing=True)
        assert (system.stage, system.pixels(images(2)).shape) == (0, (2, 1, 8, 8))
        system.grow()
        assert (system.stage, system.pixels(images(2)).shape) == (1, (2, 1, 16, 16))
        with pytest.raises(
            ValueError, match=r"^stage 1 is the last, at the full resolution of 16; .*larger resolution"
        ):
            system.grow()

    def test_right_after_growing_codes_are_the_old_ones(self):
        system = alae(growing=True)
        train(system, 2)
        before = system.encode(images(3))
        system.grow()
        assert torch.allclose(system.encode(images(3)), before, atol=1e-5)

    def test_the_newest_block_fades_in_over_the_first_half_and_never_goes_back(self):
        system, fades = alae(growing=True), []
        train(system, 4, callbacks=[lambda moment: fades.append(float(moment.system.fade))])
        assert fades == [1.0] * 5  # in the first stage there is nothing to fade in
        system.grow()
        fades.clear()
        train(system, 8, callbacks=[lambda moment: fades.append(float(moment.system.fade))])
        assert fades == [0, 0, 0.25, 0.5, 0.75, 1, 1, 1, 1]
        train(system, 1)
        assert float(system.fade) == 1

    def test_while_it_fades_in_real_images_are_blurred_as_generated_ones_are(self):
        system = alae(growing=True)
        system.grow()
        x = system.pixels(images(2))
        old = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2)
        assert torch.equal(system._faded(x), old)
        system.fade.fill_(0.5)
        assert torch.allclose(system._faded(x), (old + x) / 2, atol=1e-6)
        system.fade.fill_(1)
        assert torch.equal(system._faded(x), x)

    def test_blocks_of_later_stages_stay_as_they_are(self):
        system = alae(growing=True)
        before = weights(system)
        train(system, 2)
        after = weights(system)
        later = [name for name in before if "styled.4" in name or "encoder.blocks.2" in name]
        assert later
        assert all(torch.equal(before[name], after[name]) for name in later)


class TestCodes:
    def test_codes_are_w_and_map_makes_them_of_z(self):
        system = alae()
        z = torch.randn(5, 4, generator=torch.Generator().manual_seed(3))
        assert torch.equal(system.draw_codes(5, seed=3), system.map(z))
        assert torch.equal(system.sample(5, seed=3), system.decode(system.map(z)))
        assert torch.equal(system.reconstruct(images(2)), system.decode(system.encode(images(2))))
        assert (system.latent_dim, system.layers) == (4, 6)

    def test_noise_has_a_seed_or_is_left_out(self):
        system = alae()
        w = system.draw_codes(2)
        for layer in system.used.module["decoder"].styled:
            layer.noise_strength.data.fill_(1)
        assert torch.equal(system.decode(w), system.decode(w))
        assert torch.equal(system.decode(w, seed=1), system.decode(w, seed=1))
        assert not torch.equal(system.decode(w, seed=1), system.decode(w, seed=2))
        assert not torch.equal(system.decode(w, seed=1), system.decode(w))

    @pytest.mark.parametrize(
        ("shape", "resolution"), [((1, 8, 8), 8), ((3, 28, 28), 32), ((1, 5, 5), 8), ((3, 48, 48), 64)]
    )
    def test_images_of_any_size_are_resized_to_a_power_of_two_and_back(self, shape, resolution):
        system = StyleAdversarialLatentAutoencoder(shape, latent_dim=4, mapping_layers=1)
        pictures = images(2, shape)
        seen = system.pixels(pictures)
        assert seen.shape == (2, shape[0], resolution, resolution)
        assert (-1 <= seen.min()) and (seen.max() <= 1)
        decoded = system.reconstruct(pictures)
        assert decoded.shape == pictures.shape
        assert (decoded >= 0).all() and (decoded <= 1).all()

    def test_pictures_undoes_pixels(self):
        system, smooth = alae((1, 28, 28), channels=(4, 4, 4, 4)), torch.linspace(0, 1, 28).expand(1, 1, 28, 28)
        assert torch.allclose(system.pictures(system.pixels(smooth)), smooth, atol=0.01)
        assert torch.allclose(alae().pictures(alae().pixels(images())), images() / 255, atol=1e-6)


BAD = {
    "no power of two": (lambda: alae(resolution=24), "resolution must be a power of two of at least 8, but it is 24"),
    "too small": (lambda: alae(resolution=4), "resolution must be a power of two of at least 8, but it is 4"),
    "start above": (lambda: alae(growing=True, start_resolution=32), "start_resolution is 32, above the resolution"),
    "channels": (lambda: alae(channels=(4, 4)), "channels has 2 entries, but a resolution of 16 has 3 blocks"),
    "not square": (lambda: alae((1, 16, 20)), "image_shape must be square"),
    "gamma": (lambda: alae(gamma=-1.0), "gamma must be at least 0"),
    "mixing": (lambda: alae(mixing=1.5), "mixing must be at least 0 and below 1"),
    "averaging": (lambda: alae(averaging=1.0), "averaging must be at least 0 and below 1"),
    "not growing": (lambda: alae().grow(), "this system does not grow; build it with growing=True"),
    "layers": (lambda: alae().decode(numbers(2, 5, 4)), r"w must have shape \(N, 4\), or \(N, 6, 4\).*map\(z\)"),
    "width of w": (lambda: alae().decode(numbers(2, 7)), r"w must have shape \(N, 4\).*\(2, 7\); encode.*map\(z\)"),
    "no w": (lambda: alae().decode(torch.empty(0, 4)), "w must have shape"),
    "width of z": (lambda: alae().map(numbers(2, 7)), r"z must have shape \(N, 4\)"),
    "seed": (lambda: alae(seed=-1), "seed must be a whole number of at least 0"),
    "images": (lambda: alae().encode(images(2, (1, 8, 8))), "images has images of shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_one_sentence(case):
    call, message = BAD[case]
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
