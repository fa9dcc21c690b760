"""How a weight matrix becomes 8-bit, and the ONNX nodes that multiply with it.

* `float32`: no quantisation, the reference.
* `int8-rows` (shipped): weights with one scale per output channel, activations with one scale per row, which
  is one token of one text. A text is therefore read the same whatever else is in its batch, so a replayed
  score is the same score.
* `int8-dynamic`, `int8-dynamic-channel`: the usual dynamic quantisation, activations per tensor, weights per
  tensor or per output channel. One scale serves the whole batch, so a reading shifts with its neighbours.

All keep weights within ±63. The widest products of 8-bit activations and 8-bit weights overflow the 16-bit
sums of processors without VNNI, and would be read differently from machine to machine.
"""

from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

Precision = Literal["float32", "int8-rows", "int8-dynamic", "int8-dynamic-channel"]
PRECISIONS: tuple[Precision, ...] = ("float32", "int8-rows", "int8-dynamic-channel", "int8-dynamic")
Piece = tuple[list[onnx.NodeProto], dict[str, NDArray[Any]]]
MICROSOFT = "com.microsoft"
WEIGHT_TOP = 63
ROW_TOP = 127
ROW_ZERO = 128


def matmul_nodes(x: str, weight: NDArray[np.float32], name: str, precision: Precision) -> Piece:
    """Nodes computing x · weight (weight: inputs × outputs) into `name`, and their constants."""
    if precision == "float32":
        return [helper.make_node("MatMul", [x, f"{name}.w"], [name], name=name)], {f"{name}.w": weight}
    if precision == "int8-rows":
        return _by_rows(x, weight, name)
    return _dynamic(x, weight, name, per_channel=precision == "int8-dynamic-channel")


def table_nodes(ids: str, rows: NDArray[np.float32], name: str, precision: Precision) -> Piece:
    """Nodes looking up `ids` in an embedding table; quantised with one scale per row."""
    if precision == "float32":
        return [helper.make_node("Gather", [f"{name}.w", ids], [name], name=name)], {f"{name}.w": rows}
    scale = np.abs(rows).max(axis=1, keepdims=True).astype(np.float32) / 127
    scale = np.where(scale == 0, np.float32(1), scale)
    values = np.clip(np.rint(rows / scale), -127, 127).astype(np.int8)
    nodes = [
        helper.make_node("Gather", [f"{name}.w", ids], [f"{name}.q"], name=f"{name}.q"),
        helper.make_node("Gather", [f"{name}.scale", ids], [f"{name}.s"], name=f"{name}.s"),
        helper.make_node("Cast", [f"{name}.q"], [f"{name}.f"], name=f"{name}.f", to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.f", f"{name}.s"], [name], name=name),
    ]
    return nodes, {f"{name}.w": values, f"{name}.scale": scale}


def _whole_numbers(weight: NDArray[np.float32], *, per_channel: bool) -> dict[str, NDArray[Any]]:
    peak = np.abs(weight).max(axis=0 if per_channel else None)
    scale = np.asarray(peak / WEIGHT_TOP, np.float32)
    scale = np.where(scale == 0, np.float32(1), scale).astype(np.float32)
    values = np.clip(np.rint(weight / scale), -WEIGHT_TOP, WEIGHT_TOP).astype(np.int8)
    return {"w": values, "scale": scale, "zero": np.zeros(scale.shape, np.int8)}


def _by_rows(x: str, weight: NDArray[np.float32], name: str) -> Piece:
    constants = {f"{name}.{key}": array for key, array in _whole_numbers(weight, per_channel=True).items()}
    constants["row.step"] = np.array(1 / ROW_TOP, np.float32)
    constants["row.least"] = np.array(1e-12, np.float32)
    constants["row.unit"] = np.array(1, np.float32)
    constants["row.zero"] = np.array(ROW_ZERO, np.uint8)
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Abs", [x], "abs", {}),
        ("ReduceMax", [f"{name}.abs"], "peak", {"axes": [-1], "keepdims": 1}),
        ("Mul", [f"{name}.peak", "row.step"], "step", {}),
        ("Max", [f"{name}.step", "row.least"], "rows", {}),
        ("Div", [x, f"{name}.rows"], "even", {}),
        ("QuantizeLinear", [f"{name}.even", "row.unit", "row.zero"], "bytes", {}),
    ]
    nodes = [
        helper.make_node(op, inputs, [f"{name}.{out}"], name=f"{name}.{out}", **attributes)
        for op, inputs, out, attributes in steps
    ]
    factors = [f"{name}.bytes", f"{name}.w", "row.unit", f"{name}.scale", "row.zero", f"{name}.zero"]
    nodes.append(
        helper.make_node(
            "MatMulIntegerToFloat", factors, [f"{name}.product"], name=f"{name}.product", domain=MICROSOFT
        )
    )
    nodes.append(helper.make_node("Mul", [f"{name}.product", f"{name}.rows"], [name], name=name))
    return nodes, constants


def _dynamic(x: str, weight: NDArray[np.float32], name: str, *, per_channel: bool) -> Piece:
    constants = {
        f"{name}.{key}": array for key, array in _whole_numbers(weight, per_channel=per_channel).items()
    }
    node = helper.make_node("DynamicQuantizeMatMul", [x, *constants], [name], name=name, domain=MICROSOFT)
    return [node], constants
