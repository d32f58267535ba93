"""What holds for all shapes, types and sizes: properties of checks, priors, Parzen windows and files, by hypothesis.

The examples are the same at every run: a test that fails here fails everywhere.
"""

from __future__ import annotations

import json
import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.extra import numpy as some_numpy

from aae_lib import checks, restore, save
from aae_lib.evaluation import parzen
from aae_lib.priors import Categorical, Gaussian, GaussianMixture, SwissRoll, Uniform, prior_from_settings
from aae_lib.storage import describe, read_tensors, write_tensors
from aae_lib.systems import AdversarialAutoencoder

try_many = settings(derandomize=True, deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))
try_some = settings(try_many, max_examples=40)

# Values

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
OTHERS = (torch.uint8, torch.int8, torch.int32, torch.int64, torch.uint16, torch.bool, torch.complex64)
shapes = some.lists(some.integers(0, 4), max_size=5).map(tuple)
sizes = some.integers(1, 6)
seeds = some.integers(0, 2**32 - 1)
entries = some.sampled_from([0, 1, 2, 0.5, -1, 255, 300, math.nan, math.inf, -math.inf, 1e300])


@some.composite
def tensors(draw, shape=shapes, dtypes=FLOATS + OTHERS, entry=entries):
    """Tensors whose entries are drawn from a few, with and without the odd ones."""
    shape, dtype = draw(shape), draw(some.sampled_from(dtypes))
    palette = draw(some.lists(entry, min_size=1, max_size=3))
    values = np.resize(np.array(palette, dtype=float), shape)
    if not dtype.is_floating_point:
        values = np.asarray(np.nan_to_num(values, nan=0, posinf=9, neginf=-9).clip(-(2**31), 2**31))
    return torch.from_numpy(values).to(dtype)


arrays = some_numpy.arrays(
    some.one_of(some_numpy.scalar_dtypes(), some.just(np.dtype(object))), shapes, fill=some.nothing()
)
scalars = some.one_of(some.integers(), some.integers(-2, 9), some.just(10**400), some.floats(), some.floats(-1, 2))
anything = some.one_of(
    some.none(),
    some.booleans(),
    scalars,
    some.complex_numbers(),
    some.text(max_size=5),
    some.binary(max_size=3),
    some.sampled_from(
        ["cpu", "auto", "cuda", "cuda:0", "cpu:0", "cpu:x", "auto:0", "mps:1", "aut", object(), torch.Tensor]
    ),
    some.lists(scalars, max_size=3),
    some.lists(scalars | some.lists(scalars, max_size=2), max_size=3).map(tuple),
    some.dictionaries(some.integers(), some.integers(), max_size=2),
    some_numpy.scalar_dtypes().flatmap(some_numpy.from_dtype),
    arrays,
    tensors(),
)

# Checks: the check, and what is true of whatever it lets through (result, value)

CHECKS = {
    "one_of": (partial(checks.one_of, allowed=["auto", "cpu"]), lambda it, value: it == value),
    "positive_integer": (checks.positive_integer, lambda it, value: type(it) is int and it >= 1 and it == value),
    "positive_integers": (
        checks.positive_integers,
        lambda it, values: type(it) is tuple and all(type(n) is int and n >= 1 for n in it) and len(it) == len(values),
    ),
    "number": (checks.number, lambda it, value: type(it) is float and math.isfinite(it) and it == float(value)),
    "positive_number": (checks.positive_number, lambda it, value: type(it) is float and 0 < it < math.inf),
    "not negative": (
        partial(checks.positive_number, zero=True),
        lambda it, value: type(it) is float and 0 <= it < math.inf,
    ),
    "share": (checks.share, lambda it, value: type(it) is float and 0 <= it < 1),
    "seed": (
        checks.seed,
        lambda it, value: type(it) is int and torch.Generator().manual_seed(it) and np.random.RandomState(it),
    ),
    "device": (checks.device, lambda it, value: torch.empty(1, device=it).device.type == it.type),
    "as_tensor": (checks.as_tensor, lambda it, value: tuple(it.shape) == value.shape),
    "images": (
        checks.images,
        lambda it, value: (
            it.ndim == 4 and (it.dtype == torch.uint8 or (0 <= it.float().min() and it.float().max() <= 1))
        ),
    ),
    "codes": (checks.codes, lambda it, value: it.ndim == 2 and it.dtype == torch.float32 and it.isfinite().all()),
    "indices": (
        partial(checks.indices, count=5),
        lambda it, value: it.dtype == torch.int64 and len(it) and set(it.tolist()) <= set(range(5)),
    ),
    "labels": (
        partial(checks.labels, count=3),
        lambda it, value: it.dtype == torch.int64 and it.shape == (3,) and int(it.min()) >= 0,
    ),
}


def is_a_sentence(error: Exception) -> bool:
    """One line that names the argument, not a page long, from a check and not from below it."""
    text = str(error)
    return "the_argument" in text and text.endswith(".") and text.isprintable() and 30 < len(text) < 400


@pytest.mark.parametrize("name", CHECKS)
@try_many
@given(value=anything)
def test_a_check_lets_the_good_through_and_refuses_all_else_in_one_sentence(name, value):
    check, is_good = CHECKS[name]
    try:
        result = check("the_argument", value)
    except (TypeError, ValueError) as error:
        assert is_a_sentence(error), f"{value!r}: {error!r}"
    else:
        assert is_good(result, value)


unit = some.sampled_from([0, 1, 0.5, 0.25])
integer_types = some.sampled_from([dtype for dtype in OTHERS if not dtype.is_complex and dtype != torch.bool])


@try_some
@given(x=tensors(some.tuples(sizes, sizes, sizes, sizes), (*FLOATS, torch.uint8), unit), as_array=some.booleans())
def test_images_of_every_shape_and_type_pass_unchanged(x, as_array):
    as_array &= x.dtype != torch.bfloat16  # which NumPy does not know
    result = checks.images("x", x.numpy() if as_array else x, tuple(x.shape[1:]))
    assert result.dtype == x.dtype and torch.equal(result, x)


@try_some
@given(order=some.permutations(range(7)), count=sizes, dtype=integer_types, most=some.integers(0, 3))
def test_indices_and_labels_of_every_type_pass_unchanged(order, count, dtype, most):
    chosen = torch.tensor(order[:count]).to(dtype)
    assert checks.indices("chosen", chosen, 7).tolist() == order[:count]
    assert checks.labels("chosen", chosen.numpy(), count).tolist() == order[:count]
    least = max(order[:count])
    with pytest.raises(ValueError, match=f"between 0 and {least - 1}" if least else "between"):
        checks.indices("chosen", chosen, least)


# Priors

positive = some.floats(0.01, 100)
PRIORS = {
    "Gaussian": some.builds(Gaussian, sizes, positive),
    "Uniform": some.builds(
        lambda dim, low, width: Uniform(dim, low, low + width), sizes, some.floats(-100, 100), positive
    ),
    "GaussianMixture": some.builds(GaussianMixture, sizes, some.floats(0, 10), some.tuples(positive, positive)),
    "SwissRoll": some.just(SwissRoll()),
    "Categorical": some.builds(Categorical, sizes),
}
each_prior = pytest.mark.parametrize("name", PRIORS)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@each_prior
@try_some
@given(data=some.data(), count=some.integers(1, 50), seed=seeds)
def test_draws_have_their_shape_their_seed_and_a_density(name, data, count, seed):
    prior = data.draw(PRIORS[name])
    z = prior.sample(count, seeded(seed))
    assert z.shape == (count, prior.dim) and z.dtype == torch.float32 and z.isfinite().all()
    assert torch.equal(z, prior.sample(count, seeded(seed)))
    again = prior_from_settings(json.loads(json.dumps(prior.to_settings())))
    assert again == prior and torch.equal(z, again.sample(count, seeded(seed)))
    if prior.has_density:
        log_p = prior.log_prob(z)
        assert log_p.shape == (count,) and log_p.isfinite().all()
    if prior.classes:
        z, labels = prior.sample_labelled(count, seeded(seed))
        assert z.shape == (count, prior.dim) and labels.shape == (count,)
        assert 0 <= labels.min() and labels.max() < prior.classes


def as_torch_has_it(prior) -> torch.distributions.Distribution:
    """The same prior from torch.distributions, in float64."""
    if isinstance(prior, Gaussian):
        return torch.distributions.MultivariateNormal(
            torch.zeros(prior.dim).double(), prior.std**2 * torch.eye(prior.dim).double()
        )
    angle = 2 * math.pi * torch.arange(prior.components).double() / prior.components
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=1).reshape(-1, 2, 2)
    covariance = turn @ torch.diag(torch.tensor(prior.std).double().square()) @ turn.mT
    return torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(torch.ones(prior.components).double()),
        torch.distributions.MultivariateNormal(prior.shift * turn[:, :, 0], covariance),
    )


@pytest.mark.parametrize("name", ["Gaussian", "GaussianMixture"])
@try_some
@given(data=some.data(), count=sizes, seed=seeds)
def test_densities_are_those_of_torch_near_and_far(name, data, count, seed):
    prior = data.draw(PRIORS[name])
    z = 10 * torch.randn(count, prior.dim, generator=seeded(seed), dtype=torch.float64)
    torch.testing.assert_close(prior.log_prob(z), as_torch_has_it(prior).log_prob(z), rtol=1e-6, atol=1e-6)


# Parzen windows


@try_some
@given(
    shape=some.lists(sizes, min_size=1, max_size=3),
    counts=some.lists(sizes, min_size=1, max_size=4),
    images=some.integers(1, 9),
    sigma=some.floats(0.02, 5),
    tile=some.integers(1, 200),
    whole=some.booleans(),
    dtype=some.sampled_from([torch.uint8, torch.float32, torch.float64]),
    seed=seeds,
)
def test_parzen_windows_are_what_a_loop_in_float64_says(shape, counts, images, sigma, tile, whole, dtype, seed):
    generator = seeded(seed)

    def some_images(count):
        x = torch.randint(256, (count, *shape), generator=generator)
        return x.to(torch.uint8) if dtype == torch.uint8 else (x / 255).to(dtype)

    chunks, x = [some_images(count) for count in counts], some_images(images)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parzen, "TILE", tile)
        found = parzen.parzen_log_likelihood(torch.cat(chunks) if whole else chunks, x, sigma=sigma)
    rows = [y.flatten(1).double() / (255 if dtype == torch.uint8 else 1) for y in (torch.cat(chunks), x)]
    pixels, expected = rows[1].shape[1], []
    for row in rows[1]:
        exponents = -(row - rows[0]).square().sum(dim=1) / (2 * sigma**2)
        expected.append(
            exponents.logsumexp(0) - math.log(len(rows[0])) - pixels * math.log(sigma * math.sqrt(2 * math.pi))
        )
    torch.testing.assert_close(found, torch.stack(expected), rtol=1e-6, atol=1e-3)


# Files


def bits(tensor: torch.Tensor) -> tuple:
    """All there is to a tensor; equal where the tensors are equal bit by bit, NaN to NaN."""
    return tensor.dtype, tensor.shape, tensor.clone(memory_format=torch.contiguous_format).untyped_storage().tolist()


@try_some
@given(
    content=some.dictionaries(some.text(max_size=5), tensors(), min_size=1, max_size=4),
    turned=some.booleans(),
    notes=some.dictionaries(
        some.text(max_size=5),
        some.recursive(some.none() | some.integers() | some.floats(allow_nan=False) | some.text(), some.lists),
        max_size=3,
    ),
)
def test_tensors_and_notes_come_back_bit_by_bit(tmp_path_factory, content, turned, notes):
    path = tmp_path_factory.getbasetemp() / "tensors"
    content = {name: value.movedim(0, -1) if turned and value.ndim else value for name, value in content.items()}
    write_tensors(path, content, notes)
    found, told = read_tensors(path)
    assert {name: bits(value) for name, value in found.items()} == {
        name: bits(value) for name, value in content.items()
    }
    assert told == notes


@try_some
@given(
    image_shape=some.tuples(some.integers(1, 3), sizes, sizes),
    hidden=some.lists(sizes, min_size=1, max_size=3),
    discriminator_hidden=some.lists(sizes, min_size=1, max_size=2),
    name=some.sampled_from(sorted(PRIORS)),
    posterior=some.sampled_from(["deterministic", "gaussian", "universal"]),
    output=some.sampled_from(["sigmoid", "linear", "standardised"]),
    batch_norm=some.booleans(),
    seed=seeds,
    data=some.data(),
)
def test_a_system_of_any_size_comes_back_bit_by_bit(tmp_path_factory, name, seed, data, **chosen):
    path = tmp_path_factory.getbasetemp() / "system.safetensors"
    system = AdversarialAutoencoder(prior=data.draw(PRIORS[name]), seed=seed, **chosen)
    for tensor in system.state_dict().values():  # views of what the system has; any bits, NaN among them
        raw = tensor.flatten().view(torch.uint8)
        raw.copy_(torch.randint(256, raw.shape, generator=seeded(seed)))
    save(system, path)
    found = restore(path)
    assert describe(found) == describe(system)
    assert {k: bits(v) for k, v in found.state_dict().items()} == {k: bits(v) for k, v in system.state_dict().items()}
