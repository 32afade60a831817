"""Simplifies a frozen TensorFlow graph to fewer nodes, all of which TF.js supports.

In a browser, each node runs as a separate program on the graphics processor: MobileNetV2 has 71
nodes with biases and activations fused into its convolutions, and 175 without. TensorFlow can run
the simplified graph, too, so it can be compared with the original one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from converter.errors import ConversionError

_CONVOLUTIONS: Mapping[str, str] = {
    "Conv2D": "_FusedConv2D",
    "DepthwiseConv2dNative": "_FusedDepthwiseConv2dNative",
}
"""A convolution -> the fused operator that adds a bias, and can apply an activation."""
_ACTIVATIONS = ("Relu", "Relu6")
_FOLDING = ("function", "pruning", "constfold", "dependency", "pruning")
"""TensorFlow's own graph optimisers that introduce no operator that TF.js does not have."""


def simplify_graph(graph: Any, *, source: str, outputs: Sequence[str]) -> Any:
    """A GraphDef that computes the same as `graph` with fewer nodes.

    Args:
        graph: a GraphDef of constants and operators.
        source: the name of its float32 Placeholder.
        outputs: the names of its output nodes.
    """
    nodes = _Nodes(_folded(graph, outputs), outputs)
    nodes.skip_casts(source)
    for name in nodes.in_order():
        nodes.take_factor_in(name)
    for name in nodes.in_order():
        nodes.take_bias_in(name)
    return nodes.graph()


def constant_value(node: Any) -> npt.NDArray[Any]:
    """The value of a Const node."""
    from tensorflow import make_ndarray

    return np.asarray(make_ndarray(node.attr["value"].tensor))


def _folded(graph: Any, outputs: Sequence[str]) -> Any:
    import tensorflow as tf
    from tensorflow.core.protobuf import config_pb2
    from tensorflow.python.grappler import tf_optimizer

    with tf.Graph().as_default() as built:
        tf.import_graph_def(graph, name="")
        whole = tf.compat.v1.train.export_meta_graph(graph_def=graph, graph=built)
    whole.collection_def["train_op"].node_list.value.extend(outputs)  # what must stay
    config = config_pb2.ConfigProto()
    config.graph_options.rewrite_options.optimizers.extend(_FOLDING)
    config.graph_options.rewrite_options.min_graph_nodes = -1  # small graphs, too
    return tf_optimizer.OptimizeGraph(config, whole)


class _Nodes:
    """The nodes of a graph by their names, to be rewritten."""

    def __init__(self, graph: Any, outputs: Sequence[str]) -> None:
        self._graph, self._outputs = graph, outputs
        self._nodes: dict[str, Any] = {node.name: node for node in graph.node}
        for node in graph.node:
            # No node here has side effects, so control dependencies can be removed.
            data = [_plain(name) for name in node.input if not name.startswith("^")]
            del node.input[:]
            node.input.extend(data)
        self._prune()

    def in_order(self) -> list[str]:
        """The names of the nodes in topological order: each comes after its inputs."""
        order: dict[str, None] = {}
        waiting = list(self._outputs)
        while waiting:
            name = waiting[-1]
            missing = [i for i in self._nodes[name].input if i not in order]
            if missing and name not in order:
                waiting.extend(missing)
            else:
                order.setdefault(waiting.pop())
        return list(order)

    def graph(self) -> Any:
        """The rewritten graph as a GraphDef."""
        self._prune()
        result = type(self._graph)(versions=self._graph.versions)
        result.node.extend(self._nodes[name] for name in self.in_order())
        return result

    def skip_casts(self, source: str) -> None:
        """Removes the casts of the input to uint8 and back to float32.

        TF.js has no uint8, and these casts do not change whole levels.
        """
        skipped = {source}
        for name in self.in_order():
            node = self._nodes[name]
            from_source = [i for i in node.input if i in skipped]
            if from_source and node.op == "Cast":
                skipped.add(name)
                continue
            for at, read in enumerate(node.input):
                if read in skipped:
                    node.input[at] = source

    def take_factor_in(self, name: str) -> None:
        """Folds a Mul with constant factors into the weights of the convolution in front of it."""
        node = self._nodes[name]
        found = self._with_vector(node) if node.op == "Mul" else None
        if found is None:
            return
        convolution, factors = found
        weights = self._constant(convolution.input[1])
        if weights is None or not self._only_reader(convolution.input[1]):
            return
        if convolution.op == "DepthwiseConv2dNative":
            factors = factors.reshape(weights.shape[2:])
        self._set_constant(convolution.input[1], weights * factors)
        self._replace(name, convolution.name)

    def take_bias_in(self, name: str) -> None:
        """Fuses a convolution with the bias behind it, and with an activation behind the bias."""
        node = self._nodes.get(name)
        if node is None or node.op not in ("AddV2", "BiasAdd"):
            return  # None: an activation that was already fused into its convolution
        found = self._with_vector(node)
        if found is None:
            return
        convolution, bias = found
        if convolution.op not in _CONVOLUTIONS:
            return
        inside, last = [b"BiasAdd"], name
        readers = self._readers(name)
        if len(readers) == 1 and readers[0].op in _ACTIVATIONS and name not in self._outputs:
            inside.append(readers[0].op.encode())
            last = readers[0].name
        (vector,) = (i for i in node.input if i != convolution.name)
        self._set_constant(vector, bias)
        convolution.op = _CONVOLUTIONS[convolution.op]
        convolution.attr.pop("explicit_paddings", None)  # empty, and not every fused one has it
        convolution.input.append(vector)
        convolution.attr["num_args"].i = 1
        convolution.attr["fused_ops"].list.s.extend(inside)
        convolution.attr["epsilon"].f = 0.0
        if convolution.op == "_FusedConv2D":
            convolution.attr["leakyrelu_alpha"].f = 0.0
            # TensorFlow's own list: the element type of each further argument.
            convolution.attr["TArgs"].list.type.append(convolution.attr["T"].type)
        self._replace(last, convolution.name)

    def _with_vector(self, node: Any) -> tuple[Any, npt.NDArray[Any]] | None:
        """The convolution and the constant vector that `node` combines; None for other nodes.

        Only `node` may read them, and the vector must have one value for each channel.
        """
        if len(node.input) != 2:
            return None
        for first, second in (node.input, reversed(node.input)):
            other, vector = self._nodes[first], self._constant(second)
            if other.op not in _CONVOLUTIONS or vector is None or not self._only_reader(first):
                continue
            weights = self._constant(other.input[1])
            padding, layout = other.attr["padding"].s, other.attr["data_format"].s
            if weights is None or padding == b"EXPLICIT" or layout not in (b"", b"NHWC"):
                continue
            channels = int(np.prod(weights.shape[2:])) if "Depth" in other.op else weights.shape[3]
            if vector.size == channels == (vector.shape or (1,))[-1] and self._only_reader(second):
                return other, vector.reshape(-1)
        return None

    def _constant(self, name: str) -> npt.NDArray[Any] | None:
        node = self._nodes[name]
        return constant_value(node) if node.op == "Const" else None

    def _set_constant(self, name: str, value: npt.NDArray[Any]) -> None:
        from tensorflow import make_tensor_proto

        self._nodes[name].attr["value"].tensor.CopyFrom(make_tensor_proto(value))

    def _readers(self, name: str) -> list[Any]:
        return [node for node in self._nodes.values() for read in node.input if read == name]

    def _only_reader(self, name: str) -> bool:
        return len(self._readers(name)) == 1 and name not in self._outputs

    def _replace(self, name: str, by: str) -> None:
        for node in self._nodes.values():
            for at, read in enumerate(node.input):
                if read == name:
                    node.input[at] = by
        if name in self._outputs:
            raise ConversionError(
                f"the output {name} of the model is fused into a convolution, which TF.js export "
                "does not support: export without TF.js"
            )
        del self._nodes[name]

    def _prune(self) -> None:
        kept = set(self.in_order())
        self._nodes = {name: node for name, node in self._nodes.items() if name in kept}


def _plain(name: str) -> str:
    node, _, output = name.partition(":")
    if output not in ("", "0"):
        raise ConversionError(
            f"the model uses output {output} of the operator {node}, which TF.js export does not "
            "support: export without TF.js"
        )
    return node


def count_operators(graph: Any) -> Counter[str]:
    """The number of nodes of each operator."""
    return Counter(node.op for node in graph.node)
