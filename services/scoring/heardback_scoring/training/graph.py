"""The ONNX graph of encoder, pools and head, written node by node.

Writing it by hand instead of tracing keeps torch out of the export and lets the operators be the fused
ones that onnxruntime runs fastest on a CPU. Weights and graph are compared with the reference
implementation in tests/unit/scoring/test_training_graph.py.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from heardback_scoring.training.heads import Heads
from heardback_scoring.training.quantise import Precision, matmul_nodes, table_nodes
from heardback_scoring.training.weights import Array, Encoder

OPSET = 17
MICROSOFT = "com.microsoft"


@dataclass(slots=True)
class GraphWriter:
    precision: Precision
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def constant(self, name: str, array: NDArray[Any]) -> str:
        self.constants.setdefault(name, numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def node(self, op: str, inputs: list[str], name: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def matmul(self, x: str, weight: Array, name: str) -> str:
        nodes, constants = matmul_nodes(x, weight, name, self.precision)
        return self._keep(nodes, constants, name)

    def table(self, ids: str, rows: Array, name: str) -> str:
        nodes, constants = table_nodes(ids, rows, name, self.precision)
        return self._keep(nodes, constants, name)

    def _keep(self, nodes: list[onnx.NodeProto], constants: dict[str, NDArray[Any]], name: str) -> str:
        self.nodes.extend(nodes)
        for key, array in constants.items():
            self.constant(key, array)
        return name


def build_model(encoder: Encoder, precision: Precision, heads: Heads | None = None) -> onnx.ModelProto:
    """Inputs `input_ids`, `attention_mask` (int64, batch × tokens, padded on the right).

    Outputs `embedding` (batch × hidden, unit length) and, with heads, `logits` (three), `emotions` and `cues`
    as logits; without, the mean pool of the last layer as embedding, and every pool by its name
    (`mean_1`…`mean_L`, `max_L`, `first_L`) for training.
    """
    g = GraphWriter(precision)
    mask32 = g.node("Cast", ["attention_mask"], "mask32", to=TensorProto.INT32)
    states = _layers(g, encoder, mask32)
    pools = _pools(g, states, encoder, heads.features if heads else None)
    if heads is None:
        _unit(g, pools[f"mean_{encoder.layers}"])
        widths = dict.fromkeys(("embedding", *pools.values()), encoder.hidden)
    else:
        joined = _side_by_side(g, [pools[name] for name in heads.embedded], "embedded")
        _unit(g, g.node("MatMul", [joined, g.constant("embed.w", heads.embed)], "mapped"))
        widths = {"embedding": encoder.hidden, **_heads(g, pools, heads)}
    return _model(g, widths)


def _unit(g: GraphWriter, vectors: str) -> None:
    norm = g.node("ReduceL2", [vectors], "norm", axes=[1], keepdims=1)
    g.node("Div", [vectors, norm], "embedding")


def _heads(g: GraphWriter, pools: dict[str, str], heads: Heads) -> dict[str, int]:
    """The outputs by name, and how wide they are."""
    joined = _side_by_side(g, [pools[name] for name in heads.pools], "features")
    # In float: pools differ in scale by orders of magnitude, which one scale per row cannot hold.
    wide = g.node("MatMul", [joined, g.constant("head.wide.w", heads.wide)], "head.wide")
    active = g.node("BiasGelu", [wide, g.constant("head.wide.bias", heads.wide_bias)], "head.gelu", MICROSOFT)
    weight, bias = g.constant("head.weight", heads.weight), g.constant("head.bias", heads.bias)
    widths = {"logits": 3, "emotions": len(heads.emotions), "cues": len(heads.cues)}
    widths = {name: width for name, width in widths.items() if width}
    if len(widths) == 1:
        g.node("Gemm", [active, weight, bias], "logits")
        return widths
    outputs = g.node("Gemm", [active, weight, bias], "head.outputs")
    sizes = g.constant("head.sizes", np.array(list(widths.values()), np.int64))
    g.nodes.append(helper.make_node("Split", [outputs, sizes], list(widths), name="head.split", axis=1))
    return widths


def _side_by_side(g: GraphWriter, parts: list[str], name: str) -> str:
    return parts[0] if len(parts) == 1 else g.node("Concat", parts, name, axis=1)


def _layers(g: GraphWriter, encoder: Encoder, mask32: str) -> list[str]:
    t = encoder.tensors
    words = g.table("input_ids", t["embeddings.word_embeddings.weight"], "words")
    # One segment only, so its row is added to every position.
    positions = t["embeddings.position_embeddings.weight"] + t["embeddings.token_type_embeddings.weight"][0]
    shape = g.node("Shape", ["input_ids"], "shape", start=1, end=2)
    rows = g.node(
        "Slice",
        [g.constant("positions", positions), g.constant("zero", np.array([0], np.int64)), shape],
        "rows",
    )
    summed = g.node("Add", [words, rows], "summed")
    gamma = g.constant("embed.gamma", t["embeddings.LayerNorm.weight"])
    beta = g.constant("embed.beta", t["embeddings.LayerNorm.bias"])
    state = g.node("LayerNormalization", [summed, gamma, beta], "layer_0", axis=-1, epsilon=encoder.epsilon)
    states = []
    for index in range(encoder.layers):
        state = _layer(g, encoder, index, state, mask32)
        states.append(state)
    return states


def _layer(g: GraphWriter, encoder: Encoder, index: int, state: str, mask32: str) -> str:
    def tensor(suffix: str) -> Array:
        return encoder.tensors[f"encoder.layer.{index}.{suffix}"]

    def skip(x: str, residual: str, norm: str, bias: str, name: str) -> str:
        names = [
            g.constant(f"{name}.gamma", tensor(f"{norm}.weight")),
            g.constant(f"{name}.beta", tensor(f"{norm}.bias")),
            g.constant(f"{name}.bias", tensor(bias)),
        ]
        return g.node(
            "SkipLayerNormalization", [x, residual, *names], name, MICROSOFT, epsilon=encoder.epsilon
        )

    p = f"l{index}"
    parts = ("query", "key", "value")
    joined = np.concatenate([tensor(f"attention.self.{part}.weight").T for part in parts], axis=1)
    biases = np.concatenate([tensor(f"attention.self.{part}.bias") for part in parts])
    packed = g.matmul(state, joined, f"{p}.qkv")
    g.nodes.append(
        helper.make_node("Split", [packed], [f"{p}.{x}" for x in "qkv"], name=f"{p}.split", axis=-1)
    )
    attention = g.node(
        "MultiHeadAttention",
        [f"{p}.q", f"{p}.k", f"{p}.v", g.constant(f"{p}.qkv.bias", biases), mask32],
        f"{p}.attention",
        MICROSOFT,
        num_heads=encoder.heads,
    )
    out = g.matmul(attention, tensor("attention.output.dense.weight").T, f"{p}.out")
    middle = skip(out, state, "attention.output.LayerNorm", "attention.output.dense.bias", f"{p}.norm1")
    wide = g.matmul(middle, tensor("intermediate.dense.weight").T, f"{p}.wide")
    active = g.node(
        "BiasGelu",
        [wide, g.constant(f"{p}.wide.bias", tensor("intermediate.dense.bias"))],
        f"{p}.gelu",
        MICROSOFT,
    )
    narrow = g.matmul(active, tensor("output.dense.weight").T, f"{p}.narrow")
    return skip(narrow, middle, "output.LayerNorm", "output.dense.bias", f"layer_{index + 1}")


def _pools(
    g: GraphWriter, states: list[str], encoder: Encoder, wanted: tuple[str, ...] | None
) -> dict[str, str]:
    last = encoder.layers
    names = wanted or (*(f"mean_{i + 1}" for i in range(last)), f"max_{last}", f"first_{last}")
    mask = g.node("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    axis = g.constant("axis_1", np.array([1], np.int64))
    count = g.node("ReduceSum", [mask, axis], "count", keepdims=1)
    # Batch × 1 × tokens: a mean over the tokens is then one matrix product.
    shares = g.node("Unsqueeze", [g.node("Div", [mask, count], "share"), axis], "shares")
    pools: dict[str, str] = {}
    for name in names:
        kind, layer = name.split("_")
        state = states[int(layer) - 1]
        if kind == "mean":
            pools[name] = g.node("Squeeze", [g.node("MatMul", [shares, state], f"{name}.row"), axis], name)
        elif kind == "max":
            pools[name] = _maximum(g, state, mask, name)
        elif kind == "first":
            first = g.constant("first", np.array(0, np.int64))
            pools[name] = g.node("Gather", [state, first], name, axis=1)
        else:
            raise ValueError(f"no pool named {name!r}")
    return pools


def _maximum(g: GraphWriter, state: str, mask: str, name: str) -> str:
    one = g.constant("one", np.array(1, np.float32))
    far = g.constant("far", np.array(1e4, np.float32))
    last = g.constant("axis_2", np.array([2], np.int64))
    absent = g.node("Unsqueeze", [g.node("Sub", [one, mask], f"{name}.off"), last], f"{name}.absent")
    kept = g.node("Sub", [state, g.node("Mul", [absent, far], f"{name}.far")], f"{name}.kept")
    return g.node("ReduceMax", [kept], name, axes=[1], keepdims=0)


def _model(g: GraphWriter, widths: dict[str, int]) -> onnx.ModelProto:
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", w]) for n, w in widths.items()]
    graph = helper.make_graph(g.nodes, "heardback-reader", inputs, values, list(g.constants.values()))
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="heardback")
    model.ir_version = 8
    return model
