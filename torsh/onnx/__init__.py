"""ONNX.  torsh cannot export models: ``is_in_onnx_export()`` is False, and what exports says so when it is used.

Source: https://docs.pytorch.org/docs/stable/onnx.html
"""

from __future__ import annotations

from typing import Any


def is_in_onnx_export() -> bool:
    """Whether a model is being exported; never.

    Source: https://docs.pytorch.org/docs/stable/onnx_export.html

    >>> import torsh
    >>> torsh.onnx.is_in_onnx_export()
    False
    """
    return False


_MISSING = frozenset(
    "ExportableModule JitScalarType ONNXProgram OnnxExporterError OperatorExportTypes TensorProtoDataType TrainingMode dynamo_export "
    "export register_custom_op_symbolic select_model_mode_for_export unregister_custom_op_symbolic".split()
)


def __getattr__(name: str) -> Any:
    from torsh import compat
    from torsh.compat import placeholders

    if (
        name in ("operators", "symbolic_helper", "symbolic_opset9", "symbolic_opset11", "utils", "ops", "verification")
        and compat.installed()
    ):
        import importlib

        return importlib.import_module(f"torch.onnx.{name}")
    return placeholders.listed("torch.onnx", _MISSING, name)
