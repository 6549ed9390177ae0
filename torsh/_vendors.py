"""Functions of other vendors' libraries, which behave as in PyTorch's CPU build: those of cuDNN and MIOpen refuse tensors on the
CPU, those of oneDNN that take ordinary tensors compute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh.dtypes import dtype as Dtype
from torsh.ops._args import check_tensor
from torsh.tensor import Tensor

# What PyTorch's CPU build has no kernel for.
_NO_KERNEL = (
    "cudnn_affine_grid_generator(Tensor theta, int N, int C, int H, int W) -> Tensor",
    "cudnn_batch_norm(Tensor input, Tensor weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, "
    "float exponential_average_factor, float epsilon) -> (Tensor, Tensor, Tensor, Tensor)",
    "cudnn_convolution(Tensor self, Tensor weight, SymInt[] padding, SymInt[] stride, SymInt[] dilation, SymInt groups, "
    "bool benchmark, bool deterministic, bool allow_tf32) -> Tensor",
    "cudnn_convolution_add_relu(Tensor self, Tensor weight, Tensor z, Scalar? alpha, Tensor? bias, SymInt[] stride, "
    "SymInt[] padding, SymInt[] dilation, SymInt groups) -> Tensor",
    "cudnn_convolution_relu(Tensor self, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, "
    "SymInt groups) -> Tensor",
    "cudnn_convolution_transpose(Tensor self, Tensor weight, SymInt[] padding, SymInt[] output_padding, SymInt[] stride, "
    "SymInt[] dilation, SymInt groups, bool benchmark, bool deterministic, bool allow_tf32) -> Tensor",
    "cudnn_grid_sampler(Tensor self, Tensor grid) -> Tensor",
    "miopen_batch_norm(Tensor input, Tensor weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, "
    "float exponential_average_factor, float epsilon) -> (Tensor, Tensor, Tensor)",
    "miopen_convolution(Tensor self, Tensor weight, Tensor? bias, SymInt[] padding, SymInt[] stride, SymInt[] dilation, "
    "SymInt groups, bool benchmark, bool deterministic) -> Tensor",
    "miopen_convolution_add_relu(Tensor self, Tensor weight, Tensor z, Scalar? alpha, Tensor? bias, SymInt[] stride, "
    "SymInt[] padding, SymInt[] dilation, SymInt groups) -> Tensor",
    "miopen_convolution_relu(Tensor self, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, "
    "SymInt groups) -> Tensor",
    "miopen_convolution_transpose(Tensor self, Tensor weight, Tensor? bias, SymInt[] padding, SymInt[] output_padding, "
    "SymInt[] stride, SymInt[] dilation, SymInt groups, bool benchmark, bool deterministic) -> Tensor",
    "miopen_ctc_loss(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank, "
    "bool deterministic, bool zero_infinity) -> (Tensor, Tensor)",
    "miopen_depthwise_convolution(Tensor self, Tensor weight, Tensor? bias, SymInt[] padding, SymInt[] stride, "
    "SymInt[] dilation, SymInt groups, bool benchmark, bool deterministic) -> Tensor",
    "miopen_rnn(Tensor input, Tensor[] weight, int weight_stride0, Tensor hx, Tensor? cx, int mode, int hidden_size, "
    "int num_layers, bool batch_first, float dropout, bool train, bool bidirectional, int[] batch_sizes, "
    "Tensor? dropout_state) -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
    "mkldnn_adaptive_avg_pool2d(Tensor self, int[2] output_size) -> Tensor",
    "mkldnn_linear_backward_weights(Tensor grad_output, Tensor input, Tensor weight, bool bias_defined) -> (Tensor, Tensor)",
    "mkldnn_max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, "
    "bool ceil_mode=False) -> Tensor",
    "mkldnn_max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] dilation=1, "
    "bool ceil_mode=False) -> Tensor",
)  # fmt: skip


def _refusing(schema: str) -> Callable[..., Any]:
    """A function with a schema's arguments for which there is no kernel."""
    import inspect

    from torsh.jit._schema import parse_schema

    parsed = parse_schema(schema)
    signature = inspect.Signature(
        [
            inspect.Parameter(
                a.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=a.default_value if a.has_default_value() else inspect.Parameter.empty
            )
            for a in parsed.arguments
        ]
    )  # fmt: skip
    name = parsed.name
    library = {"cudnn": "cuDNN", "miopen": "MIOpen", "mkldnn": "oneDNN"}[name.partition("_")[0]]

    def function(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as e:
            raise TypeError(f"{name}(): {e}") from None
        first = check_tensor(bound.args[0], name)
        raise NotImplementedError(
            f"Could not run 'aten::{name}' with arguments from the '{first.device.type.upper()}' backend. It belongs to {library}, "
            "which torsh does not call; use the function of torch.nn.functional that does the same"
        )

    function.__name__ = function.__qualname__ = name
    function.__signature__ = signature  # type: ignore[attr-defined]
    function.__doc__ = (
        f"{library}'s function: refused with NotImplementedError, as in a build of PyTorch without a kernel for it.\n\n"
        "Source: https://docs.pytorch.org/docs/stable/torch.html"
    )
    return function


_BY_NAME = {schema.partition("(")[0]: schema for schema in _NO_KERNEL}


def __getattr__(name: str) -> Any:
    if name in _BY_NAME:
        return globals().setdefault(name, _refusing(_BY_NAME[name]))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def cudnn_is_acceptable(input: Any) -> bool:
    """Whether cuDNN can be used for a tensor: never.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.cudnn_is_acceptable(torsh.ones(1))
    False
    """
    check_tensor(input, "cudnn_is_acceptable")
    return False


def mkldnn_convolution(
    input: Any, weight: Any, bias: Any, padding: Any, stride: Any, dilation: Any, groups: int
) -> Tensor:
    """The convolution of 1, 2 or 3 dimensions, as ``torch.convolution`` computes it.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.mkldnn_convolution(torsh.ones(1, 1, 3, 3), torsh.ones(1, 1, 2, 2), None, [0, 0], [1, 1], [1, 1], 1)
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    import torsh

    check_tensor(input, "mkldnn_convolution")
    n = input.ndim - 2
    return torsh.convolution(input, weight, bias, stride, padding, dilation, False, [0] * n, groups)  # type: ignore[no-any-return]


def mkldnn_rnn_layer(
    input: Any, weight0: Any, weight1: Any, weight2: Any, weight3: Any, hx_: Any, cx_: Any, reverse: bool, batch_sizes: Any, mode: int,
    hidden_size: int, num_layers: int, has_biases: bool, bidirectional: bool, batch_first: bool, train: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """One direction of one LSTM layer over (time, batch, features): (outputs, last h, last c, an empty workspace).

    weight0, weight1: of input and state; weight2, weight3: their biases.  mode: 2, an LSTM; others raise RuntimeError.
    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    import torsh

    if mode != 2:
        raise RuntimeError(f"unsupported RNN mode {mode}: mkldnn_rnn_layer computes LSTMs (mode 2)")
    h, c, outputs = hx_, cx_, []
    steps = range(input.shape[0] - 1, -1, -1) if reverse else range(input.shape[0])
    for t in steps:
        gates = torsh.nn.functional.linear(input[t], weight0, weight2) + torsh.nn.functional.linear(
            h.reshape(input.shape[1], -1), weight1, weight3
        )
        i, f, g, o = gates.chunk(4, 1)
        c = f.sigmoid() * c.reshape(i.shape) + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(h)
    outs = torsh.stack(outputs[::-1] if reverse else outputs)
    return outs, h.reshape(hx_.shape), c.reshape(cx_.shape), torsh.empty(0, dtype=torsh.uint8)


# ---- autocast on devices torsh has no backend for ----------------------------------------------------------------------


def _autocast(device: str) -> dict[str, Callable[..., Any]]:
    from torsh.amp import autocast_mode as amp

    def enabled() -> bool:
        return amp.is_autocast_enabled(device)

    def set_enabled(enabled: bool) -> None:
        amp.set_autocast_enabled(device, enabled)

    def get_dtype() -> Dtype:
        return amp.get_autocast_dtype(device)

    def set_dtype(dtype: Dtype) -> None:
        amp.set_autocast_dtype(device, dtype)

    found: dict[str, Callable[..., Any]] = {
        f"is_autocast_{device}_enabled": enabled, f"set_autocast_{device}_enabled": set_enabled,
        f"get_autocast_{device}_dtype": get_dtype, f"set_autocast_{device}_dtype": set_dtype,
    }  # fmt: skip
    for name, function in found.items():
        function.__name__ = function.__qualname__ = name
        function.__doc__ = (
            f"``{name.replace(f'_{device}', '')}`` for {device!r}.\n\n"
            "Source: https://docs.pytorch.org/docs/stable/amp.html"
        )
    return found


globals().update({**_autocast("ipu"), **_autocast("xla")})
