"""DA-CrossViT against the sizes of its tables, a reference written from the equations, and what its options promise."""

from __future__ import annotations

import math

import pytest
import torch
from matplotlib.text import Text
from torch import Tensor
from torch.nn import functional

from mer_lib.errors import ParameterError
from mer_lib.models import build, count_parameters
from mer_lib.models.da_crossvit import ATTENTIONS, INFO, DACrossViT, DualAttention, Fusion
from mer_lib.papers.experiments import experiment
from mer_lib.plots import attention as attention_plots
from mer_lib.plots import patches

TINY = {"la_dim": 12, "sm_dim": 6, "encoders": 2, "la_layers": 2, "sm_layers": 1}


def tiny(**params) -> DACrossViT:
    return DACrossViT(**(TINY | params)).eval()


def meta(**params) -> DACrossViT:
    with torch.device("meta"):
        return DACrossViT(**params)


def maps(n: int = 2, side: int = 28) -> Tensor:
    return torch.randn(n, 3, side, side)


# -- sizes ----------------------------------------------------------------------------------------


def test_parameter_counts_of_the_stages():
    network = meta()
    encoder = network.encoders[0]
    assert count_parameters(network.la_tokens) == 451_776 + 192 + 384
    assert count_parameters(network.sm_tokens) == 56_544 + 96 + 480
    assert [count_parameters(layer) for layer in encoder.la] == [444_864] * 4
    assert [count_parameters(layer) for layer in encoder.sm] == [111_840]
    assert [count_parameters(fusion) for fusion in encoder.into_la] == [84_480]
    assert [count_parameters(fusion) for fusion in encoder.into_sm] == [223_392]
    assert [count_parameters(each) for each in network.encoders] == [2_199_168] * 3
    assert count_parameters(network.la_norm) + count_parameters(network.sm_norm) == 576
    assert count_parameters(network.fc) == 867


@pytest.mark.parametrize(
    ("params", "parameters"),
    [
        ({}, 7_108_419),
        ({"attention": "cross"}, 6_969_315),
        ({"la_patches": 1, "sm_patches": 1}, 7_277_475),
        ({"la_patches": 1, "sm_patches": 16}, 7_067_235),
        ({"la_patches": 4, "sm_patches": 4}, 6_770_307),
        ({"la_patches": 4, "sm_patches": 16}, 6_729_123),
    ],
)
def test_parameter_counts_of_tables_3_and_4(params, parameters):
    assert count_parameters(meta(**params)) == parameters


def test_the_ablation_differs_by_its_gates_alone():
    dual, cross = (dict(meta(attention=name).named_parameters()) for name in ("dual", "cross"))
    extra = set(dual) - set(cross)
    assert set(cross) <= set(dual)
    assert all(".attention.gate." in name for name in extra)
    assert sum(dual[name].numel() for name in extra) == 3 * 46_368


@pytest.mark.parametrize(("la", "sm"), [(1, 1), (1, 4), (1, 16), (4, 4), (4, 16)])
def test_shapes_of_table_3(la, sm):
    network = tiny(la_patches=la, sm_patches=sm, n_classes=5)
    x = maps(3)
    assert network.la_tokens(x).shape == (3, 1 + la, 12)
    assert network.sm_tokens(x).shape == (3, 1 + sm, 6)
    assert network(x).shape == (3, 5)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sm_patches": 3}, r"sm_patches: expected one of 1, 4, 16, 49, 196, 784 for image_size = 28, got 3"),
        ({"la_patches": 9}, r"la_patches: expected one of 1, 4, 16"),
        ({"la_dim": 100}, r"la_dim: expected a multiple of heads = 3, got 100"),
        ({"sm_dim": 0}, r"sm_dim: expected a multiple of heads = 3, got 0"),
        ({"attention": "double"}, r"attention: expected one of dual, cross, full, printed, got 'double'"),
        ({"dropout": 1.0}, r"dropout: expected 0 <= dropout < 1, got 1.0"),
        ({"image_size": 0}, r"image_size: expected at least 1, got 0"),
        (
            {"encoders": 0, "la_layers": 0, "sm_layers": 0, "fusions": 0, "heads": 0, "n_classes": 0, "mlp_ratio": 0},
            r"(?s)encoders: .*la_layers: .*sm_layers: .*fusions: .*heads: .*n_classes: .*mlp_ratio: ",
        ),
    ],
)
def test_sizes_that_do_not_fit_are_refused(params, message):
    with pytest.raises(ParameterError, match=message):
        DACrossViT(**params)


# -- a reference from the equations, one sample and one head at a time ------------------------------


class Reference:
    """The network as the article's equations have it, repaired, from a state dict; one map (3, side, side)."""

    def __init__(self, network: DACrossViT, *, la: int, sm: int, heads: int, attention: str) -> None:
        self.state, self.patches, self.heads, self.attention = network.state_dict(), (la, sm), heads, attention
        self.depths = [(len(encoder.la), len(encoder.sm), len(encoder.into_la)) for encoder in network.encoders]

    def linear(self, name: str, x: Tensor) -> Tensor:
        return x @ self.state[f"{name}.weight"].T + self.state[f"{name}.bias"]

    def norm(self, name: str, x: Tensor) -> Tensor:
        spread = torch.sqrt(((x - x.mean(-1, keepdim=True)) ** 2).mean(-1, keepdim=True) + 1e-5)
        return self.state[f"{name}.weight"] * (x - x.mean(-1, keepdim=True)) / spread + self.state[f"{name}.bias"]

    def tokens(self, name: str, x: Tensor, patches: int) -> Tensor:
        n = math.isqrt(patches)
        side = x.shape[1] // n
        cut = [x[:, r * side :][:, :side, c * side :][..., :side].flatten() for r in range(n) for c in range(n)]
        weight = self.state[f"{name}.embedding.weight"].flatten(1)
        projected = torch.stack(cut) @ weight.T + self.state[f"{name}.embedding.bias"]
        return torch.cat([self.state[f"{name}.class_token"][0], projected]) + self.state[f"{name}.positions"][0]

    def weights(self, q: Tensor, k: Tensor) -> list[Tensor]:
        width = q.shape[1] // self.heads
        parts = zip(q.split(width, dim=1), k.split(width, dim=1), strict=True)
        return [torch.softmax(one @ two.T / math.sqrt(width), dim=1) for one, two in parts]

    def heads_of(self, weights: list[Tensor], v: Tensor) -> Tensor:
        parts = v.split(v.shape[1] // self.heads, dim=1)
        return torch.cat([A @ part for A, part in zip(weights, parts, strict=True)], dim=1)

    def layer(self, name: str, x: Tensor) -> Tensor:
        q, k, v = self.linear(f"{name}.attention.qkv", self.norm(f"{name}.attention_norm", x)).chunk(3, dim=1)
        x = x + self.linear(f"{name}.attention.out", self.heads_of(self.weights(q, k), v))
        hidden = functional.gelu(self.linear(f"{name}.mlp.0", self.norm(f"{name}.mlp_norm", x)))
        return x + self.linear(f"{name}.mlp.3", hidden)

    def project(self, name: str, x: Tensor) -> Tensor:
        return self.linear(f"{name}.2", functional.gelu(self.norm(f"{name}.0", x)))

    def fuse(self, name: str, own: Tensor, other: Tensor) -> Tensor:
        visitor = self.project(f"{name}.go", own[:1])
        joined = self.norm(f"{name}.norm", torch.cat([visitor, other[1:]]))
        q = self.linear(f"{name}.attention.query", joined[:1])
        k, v = (self.linear(f"{name}.attention.{part}", joined) for part in ("key", "value"))
        A = self.weights(q, k)
        gate_sees, v_prime = q, self.heads_of(A, v)
        if self.attention == "full":
            gate_sees = v_prime = torch.cat([q, v_prime], dim=1)
        if self.attention == "printed":
            v_prime = torch.cat([self.linear(f"{name}.attention.information", weights) for weights in A], dim=1)
        else:
            v_prime = self.linear(f"{name}.attention.information", v_prime)
        if self.attention != "cross":
            v_prime = torch.sigmoid(self.linear(f"{name}.attention.gate", gate_sees)) * v_prime
        return torch.cat([self.project(f"{name}.back", visitor + v_prime), own[1:]])

    def __call__(self, x: Tensor) -> Tensor:
        la, sm = (self.tokens(f"{name}_tokens", x, n) for name, n in zip(("la", "sm"), self.patches, strict=True))
        for i, (M, N, L) in enumerate(self.depths):
            for j in range(M):
                la = self.layer(f"encoders.{i}.la.{j}", la)
            for j in range(N):
                sm = self.layer(f"encoders.{i}.sm.{j}", sm)
            for j in range(L):
                la, sm = self.fuse(f"encoders.{i}.into_la.{j}", la, sm), self.fuse(f"encoders.{i}.into_sm.{j}", sm, la)
        return self.linear("fc", torch.cat([self.norm("la_norm", la[0]), self.norm("sm_norm", sm[0])]))


def stirred(network: DACrossViT) -> DACrossViT:
    """Give norms, biases and tokens values that a mistake about them would show in."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return network.double()


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize(("la", "sm", "fusions"), [(1, 4, 1), (4, 16, 2)])
def test_the_network_equals_the_equations(attention, la, sm, fusions):
    network = stirred(tiny(la_patches=la, sm_patches=sm, fusions=fusions, attention=attention))
    reference = Reference(network, la=la, sm=sm, heads=3, attention=attention)
    x = maps(3).double()
    expected = torch.stack([reference(one) for one in x])
    torch.testing.assert_close(network(x), expected, atol=1e-9, rtol=1e-9)
    assert expected.std(dim=0).min() > 1e-3, "the comparison would not notice a constant network"


# -- the module -----------------------------------------------------------------------------------


def gradients(attention: str) -> dict[str, float]:
    network = tiny(attention=attention)
    functional.cross_entropy(network(maps(4)), torch.tensor([0, 1, 2, 0])).backward()
    norms = {name: parameter.grad for name, parameter in network.named_parameters()}
    return {name: 0.0 if gradient is None else float(gradient.norm()) for name, gradient in norms.items()}


@pytest.mark.parametrize("attention", ["dual", "cross", "full"])
def test_repaired_the_values_learn(attention):
    norms = gradients(attention)
    values = [norm for name, norm in norms.items() if ".attention.value." in name]
    assert len(values) == 8
    assert min(values) > 0
    assert min(norm for name, norm in norms.items() if not name.endswith(".key.bias")) > 1e-9


def test_as_printed_the_values_learn_nothing_and_nothing_else_stands_still():
    norms = gradients("printed")
    still = {name for name, norm in norms.items() if norm < 1e-9 and not name.endswith(".key.bias")}
    assert still == {name for name in norms if ".attention.value." in name}


def test_as_printed_the_content_of_the_other_branch_goes_nowhere():
    """With one patch to read and equal scores, whatever stands in it, the answer is the same; repaired it is not."""
    answers = {}
    for attention in ("printed", "dual"):
        module = DualAttention(6, tokens=2, heads=3, attention=attention, dropout=0.0)
        with torch.no_grad():
            module.key.weight.zero_()
        x = torch.randn(2, 2, 6)
        x[1, 0] = x[0, 0]
        first, second = module(x)
        answers[attention] = torch.allclose(first, second, atol=1e-7)
    assert answers == {"printed": True, "dual": False}


def test_an_open_gate_is_plain_cross_attention_and_a_shut_one_reads_nothing():
    dual, cross = tiny(attention="dual"), tiny(attention="cross")
    cross.load_state_dict({k: v for k, v in dual.state_dict().items() if ".gate." not in k})
    x, shut = maps(), []
    for bias in (50.0, -50.0):
        with torch.no_grad():
            for module in dual.modules():
                if isinstance(module, DualAttention):
                    module.gate.weight.zero_()
                    module.gate.bias.fill_(bias)
        shut.append(dual(x))
    torch.testing.assert_close(shut[0], cross(x))
    for module in dual.modules():
        if isinstance(module, DualAttention):
            module.register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
    torch.testing.assert_close(shut[1], dual(x))


def test_a_fusion_changes_the_class_token_alone_and_leaves_out_the_other_one():
    fusion = Fusion(12, 6, 5, heads=3, attention="dual", dropout=0.0)
    own, other = torch.randn(2, 2, 12), torch.randn(2, 5, 6)
    fused = fusion(own, other)
    assert torch.equal(fused[:, 1:], own[:, 1:])
    assert (fused[:, 0] != own[:, 0]).any()
    changed = other.clone()
    changed[:, 0] += 1
    assert torch.equal(fusion(own, changed), fused)
    changed[:, 3] += 1
    assert not torch.equal(fusion(own, changed), fused)


def test_dropout_acts_in_training_only():
    network, x = tiny(dropout=0.3), maps()
    assert torch.equal(network(x), network(x))
    network.train()
    assert not torch.equal(network(x), network(x))


# -- reading attention ----------------------------------------------------------------------------


def test_attention_maps_have_one_axis_for_each_thing():
    records = tiny(fusions=2).attention_maps(maps(2))
    assert len(records) == 2
    shapes = {key: [tuple(weights.shape) for weights in tensors] for key, tensors in records[0].items()}
    assert shapes == {
        "la": [(2, 3, 2, 2)] * 2,
        "sm": [(2, 3, 5, 5)],
        "into_la": [(2, 3, 1, 5)] * 2,
        "into_sm": [(2, 3, 1, 2)] * 2,
    }
    for tensors in records[0].values():
        for weights in tensors:
            torch.testing.assert_close(weights.sum(dim=-1), torch.ones(weights.shape[:-1]))


def test_one_patch_in_either_branch_gives_a_flat_image():
    torch.testing.assert_close(
        tiny(la_patches=1, sm_patches=1).attention_image(maps(2)), torch.full((2, 28, 28), 1 / 784)
    )


def test_the_attention_image_follows_attention_through_all_tokens():
    """Against products of one matrix a step over all tokens: 1 + 4 of the coarse branch, then 1 + 16."""
    network = tiny(la_patches=4, sm_patches=16)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "qkv" in name or ".query." in name or ".key." in name:
                parameter *= 8  # so that attention is far from even
    x = maps(1)
    paths = torch.eye(22)
    for record in network.attention_maps(x):
        for rows, columns, weights in (
            *((range(5), range(5), each) for each in record["la"]),
            *((range(5, 22), range(5, 22), each) for each in record["sm"]),
            (range(1), [0, *range(6, 22)], record["into_la"][0]),
            (range(5, 6), [5, *range(1, 5)], record["into_sm"][0]),
        ):
            step = torch.eye(22)
            for row, asked in zip(rows, weights[0].mean(dim=0), strict=True):
                step[row, row] = 0.5
                for column, weight in zip(columns, asked, strict=True):
                    step[row, column] += 0.5 * weight
            paths = step @ paths
    torch.testing.assert_close(paths.sum(dim=1), torch.ones(22))
    reached = paths[0] + paths[5]
    expected = torch.zeros(28, 28)
    for row in range(28):
        for column in range(28):
            coarse, fine = 1 + row // 14 * 2 + column // 14, 6 + row // 7 * 4 + column // 7
            expected[row, column] = reached[coarse] / 196 + reached[fine] / 49
    image = network.attention_image(x)[0]
    torch.testing.assert_close(image, expected / expected.sum())
    assert image.max() > 1.2 * image.min()


def test_the_small_one_of_the_registry_is_small_and_whole():
    network = build("da_crossvit", **INFO.small)
    assert count_parameters(network) < 100_000
    assert isinstance(network.get_submodule(network.cam_layer), torch.nn.Conv2d)


# -- figures --------------------------------------------------------------------------------------


def texts(figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(Text))


def test_the_figure_of_gradients_shows_values_that_learn_nothing():
    printed, dual = attention_plots.fusion_norms("printed"), attention_plots.fusion_norms("dual")
    assert printed.shape == dual.shape == (4, 3)
    assert (printed[:, 2] == 0).all()
    assert (printed[:, :2] > 0).all()
    assert (dual > 0).all()
    figure = attention_plots.fusion_gradients()
    assert "attention: printed" in texts(figure)
    zeros = [text for text in figure.axes[0].texts if text.get_text() == "0"]
    assert len(zeros) == 4


def test_the_figure_of_what_class_tokens_read_has_their_weights():
    network, x = tiny(la_patches=1, sm_patches=4), maps(3)
    figure = attention_plots.class_token_reads(network, x, kind="synthetic", text="where from")
    records = network.attention_maps(x)
    heights = [[bar.get_height() for bar in ax.patches] for ax in figure.axes[:2]]
    for found, key in zip(heights, ("into_la", "into_sm"), strict=True):
        expected = torch.cat([record[key][0].mean(dim=(0, 1, 2)) for record in records])
        torch.testing.assert_close(torch.tensor(found), expected.double())
    assert "SYNTHETIC DATA · where from" in texts(figure)


def test_the_figure_of_branches_counts_tokens_with_the_class_token():
    figure = patches.branches(maps(1)[0].numpy(), [(1, 4), (4, 16)])
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["La=1: 2 tokens", "La=4: 5 tokens", "Sm=4: 5 tokens", "Sm=16: 17 tokens"]


def test_the_figure_of_blocks_counts_their_tokens_and_refuses_other_patches():
    figure = patches.blocks_and_tokens(maps(1)[0].numpy(), (7, 1))
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles[:3] == [
        "level 0: 16 blocks of 1 token",
        "level 1: 4 blocks of 1 token",
        "level 2: 1 block of 1 token",
    ]
    assert titles[3:] == [f"level {i}: {n} of 49 tokens" for i, n in enumerate(("16 blocks", "4 blocks", "1 block"))]
    with pytest.raises(ParameterError, match=r"patch_sizes: expected among \[1, 7\] for 28 pixels, got \[2\]"):
        patches.blocks_and_tokens(maps(1)[0].numpy(), (2,))


# -- the experiments ------------------------------------------------------------------------------


def test_what_the_tables_vary():
    table3 = experiment("da_crossvit.table3").settings("paper")
    sizes = [setting.model.params for setting in table3.values()]
    assert [f"La={params['la_patches']}, Sm={params['sm_patches']}" for params in sizes] == list(table3)
    counts = [count_parameters(meta(**params)) for params in sizes]
    assert counts == [7_277_475, 7_108_419, 7_067_235, 6_770_307, 6_729_123]
    table4 = experiment("da_crossvit.table4").settings("paper")
    modules = [setting.model.params.get("attention", "dual") for setting in list(table4.values())[1:]]
    assert modules == ["dual", "cross", "full", "printed"]
    training = table3["La=1, Sm=4"].training
    assert (training.epochs, training.batch_size, training.learning_rate) == (800, 256, 5e-4)
