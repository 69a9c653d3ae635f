"""Networks of every kind that alignment is for, each with an input and the groups that a person finds in it."""

import torch
from torch import nn


def mlp() -> nn.Module:
    """Two hidden layers."""
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))


def convolutional() -> nn.Module:
    """Batch norm, pooling, and flattened images of 2 x 2 that a linear layer reads."""
    return nn.Sequential(
        *(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(4, 6, 2, bias=False), nn.BatchNorm2d(6), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(6 * 4, 5), nn.ReLU(), nn.Linear(5, 3)),
    )


class Residual(nn.Module):
    """An identity block, then one that widens, with a filter a channel and a shortcut of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.one, self.norm1 = nn.Conv2d(6, 5, 3, padding=1), nn.BatchNorm2d(5)
        self.two, self.norm2 = nn.Conv2d(5, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.wide, self.norm3 = nn.Conv2d(6, 8, 3, padding=1, stride=2), nn.BatchNorm2d(8)
        self.deep = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.short = nn.Conv2d(6, 8, 1, stride=2)
        self.out = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.norm(self.stem(x)))
        h = torch.relu(h + self.norm2(self.two(torch.relu(self.norm1(self.one(h))))))
        h = torch.relu(self.deep(torch.relu(self.norm3(self.wide(h)))) + self.short(h))
        return self.out(h.mean(dim=(2, 3)))


class Decoder(nn.Module):
    """A block of GPT's kind: one projection for queries, keys and values, a causal mask, embeddings."""

    def __init__(self, *, is_tied: bool = False) -> None:
        super().__init__()
        self.token, self.place = nn.Embedding(7, 8), nn.Embedding(5, 8)
        self.before, self.qkv, self.proj = nn.LayerNorm(8), nn.Linear(8, 24), nn.Linear(8, 8)
        self.after, self.up, self.down = nn.LayerNorm(8), nn.Linear(8, 12), nn.Linear(12, 8)
        self.last, self.out = nn.LayerNorm(8), nn.Linear(8, 7, bias=False)
        if is_tied:
            self.out.weight = self.token.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, t = x.shape
        h = self.token(x) + self.place(torch.arange(t))
        q, k, v = (z.view(n, t, 2, 4).transpose(1, 2) for z in self.qkv(self.before(h)).chunk(3, dim=-1))
        a = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + self.proj(a.transpose(1, 2).reshape(n, t, 8))
        h = h + self.down(nn.functional.gelu(self.up(self.after(h))))
        return self.out(self.last(h)).mean(dim=1)


def encoder() -> nn.Module:
    """Torch's own transformer layer; its width is its input's, and stays."""
    layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True)
    return nn.Sequential(nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), nn.Flatten(), nn.Linear(40, 3))


def _of(norm: str) -> set[tuple[str, int, int, int]]:
    return {(f"{norm}.{part}", 0, 1, 1) for part in ("weight", "bias", "running_mean", "running_var")}


def _plain(*names: str, axis: int = 0) -> set[tuple[str, int, int, int]]:
    return {(name, axis, 1, 1) for name in names}


IMAGES, FEATURES, TOKENS, SEQUENCES = (
    lambda generator: torch.randn(6, 1, 8, 8, generator=generator),
    lambda generator: torch.randn(6, 4, generator=generator),
    lambda generator: torch.randint(7, (6, 5), generator=generator),
    lambda generator: torch.randn(6, 5, 8, generator=generator),
)

_STREAM = (
    _plain("before.weight", "before.bias", "proj.weight", "proj.bias", "after.weight", "after.bias", "down.weight", "down.bias")
    | _plain("last.weight", "last.bias")
    | _plain("token.weight", "place.weight", "qkv.weight", "up.weight", axis=1)
)
_DECODER = {
    8: _STREAM | _plain("out.weight", axis=1),
    # Heads change places as wholes, and features alike in every head: queries, keys and values are one projection.
    2: {("qkv.weight", 0, 3, 4), ("qkv.bias", 0, 3, 4), ("proj.weight", 1, 1, 4)},
    4: {("qkv.weight", 0, 6, 1), ("qkv.bias", 0, 6, 1), ("proj.weight", 1, 2, 1)},
    12: _plain("up.weight", "up.bias") | _plain("down.weight", axis=1),
}

# Architecture, input, and by size of the group all places of its units, written down by hand.
ARCHITECTURES = {
    "mlp": (
        mlp,
        FEATURES,
        {
            6: _plain("0.weight", "0.bias") | _plain("2.weight", axis=1),
            5: _plain("2.weight", "2.bias") | _plain("4.weight", axis=1),
        },
    ),
    "convolutional": (
        convolutional,
        IMAGES,
        {
            4: _plain("0.weight", "0.bias") | _of("1") | _plain("4.weight", axis=1),
            6: _plain("4.weight") | _of("5") | {("8.weight", 1, 1, 4)},
            5: _plain("8.weight", "8.bias") | _plain("10.weight", axis=1),
        },
    ),
    "residual": (
        Residual,
        IMAGES,
        {
            6: _plain("stem.weight", "two.weight", "two.bias")
            | _of("norm")
            | _of("norm2")
            | _plain("one.weight", "wide.weight", "short.weight", axis=1),
            5: _plain("one.weight", "one.bias") | _of("norm1") | _plain("two.weight", axis=1),
            8: _plain("wide.weight", "wide.bias", "deep.weight", "deep.bias", "short.weight", "short.bias")
            | _of("norm3")
            | _plain("out.weight", axis=1),
        },
    ),
    "decoder": (Decoder, TOKENS, _DECODER),
    # The embedding is the output's weight: named once, moved under both names.
    "tied decoder": (lambda: Decoder(is_tied=True), TOKENS, _DECODER | {8: _STREAM}),
    "encoder": (
        encoder,
        SEQUENCES,
        {
            2: {
                ("0.layers.0.self_attn.in_proj_weight", 0, 3, 4),
                ("0.layers.0.self_attn.in_proj_bias", 0, 3, 4),
                ("0.layers.0.self_attn.out_proj.weight", 1, 1, 4),
            },
            4: {
                ("0.layers.0.self_attn.in_proj_weight", 0, 6, 1),
                ("0.layers.0.self_attn.in_proj_bias", 0, 6, 1),
                ("0.layers.0.self_attn.out_proj.weight", 1, 2, 1),
            },
            12: _plain("0.layers.0.linear1.weight", "0.layers.0.linear1.bias") | _plain("0.layers.0.linear2.weight", axis=1),
        },
    ),
}


def random_network(make: object, seed: int) -> nn.Module:
    """Return a network in which every tensor is drawn, batch norm's too: nothing is alike by chance."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng([]):
        model = make()
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(-1, 1, generator=generator)
        for name, tensor in model.named_buffers():
            if name.endswith("running_var"):
                tensor.abs_().add_(0.5)
    return model.eval()
