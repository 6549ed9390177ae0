"""torsh: the PyTorch API over existing array libraries.

``import torsh`` looks and behaves like ``import torch``.  Importing it loads NumPy and nothing else: backends come when a
device asks for them, subpackages (``torsh.nn``, ``torsh.optim``, ...) when they are first used.
"""

import importlib as _importlib

from torsh import dtypes as _dtypes
from torsh import legacy as _legacy
from torsh import memory_format as _memory_format
from torsh import ops as _ops
from torsh import version as version
from torsh._functions import *  # noqa: F403
from torsh.autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from torsh.device import device, get_default_device, set_default_device
from torsh.dtypes import dtype, get_default_dtype, promote_types, set_default_dtype
from torsh.memory_format import layout, memory_format
from torsh.random import Generator, default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from torsh.tensor import Size, Tensor
from torsh.version import __version__ as __version__

__torsh__ = True  # tells torsh from PyTorch where both may be called "torch"

globals().update({d.name: d for d in (*_dtypes.ALL, *_dtypes.QUANTIZED, *_dtypes.SHELLS)})
globals().update(_dtypes.ALIASES)
globals().update(_ops.NAMES["torch"])
globals().update(_legacy.TYPES)
globals().update({f.name: f for f in (*_memory_format.FORMATS, *_memory_format.LAYOUTS)})
bit = _dtypes.BITS_1
legacy_contiguous_format = _memory_format.contiguous_format

# Names whose module is loaded when they are first asked for.
_LATER = {
    "compile": "compiler", "autocast": "amp", "is_autocast_enabled": "amp", "is_autocast_cpu_enabled": "amp",
    "get_autocast_dtype": "amp", "set_autocast_enabled": "amp", "is_autocast_available": "amp", "GradScaler": "amp",
    "set_autocast_dtype": "amp", "get_autocast_gpu_dtype": "amp", "get_autocast_cpu_dtype": "amp",
    "Event": "_streams", "Stream": "_streams", "get_device_module": "_streams",
    **dict.fromkeys(("set_autocast_cpu_dtype", "set_autocast_gpu_dtype", "set_autocast_cpu_enabled", "is_autocast_cache_enabled",
                     "set_autocast_cache_enabled", "clear_autocast_cache", "autocast_increment_nesting",
                     "autocast_decrement_nesting"), "amp.autocast_mode"),
    "is_anomaly_enabled": "autograd.anomaly_mode", "is_anomaly_check_nan_enabled": "autograd.anomaly_mode",
    "set_anomaly_enabled": "autograd.anomaly_mode", "DisableTorchFunction": "overrides",
    "DisableTorchFunctionSubclass": "overrides",
    "save": "serialization", "load": "serialization", "vmap": "func", "from_dlpack": "utils.dlpack", "to_dlpack": "utils.dlpack",
    **dict.fromkeys(
        "qscheme per_tensor_affine per_channel_affine per_tensor_symmetric per_channel_symmetric per_channel_affine_float_qparams "
        "quantize_per_tensor quantize_per_channel quantize_per_tensor_dynamic dequantize int_repr q_scale q_zero_point "
        "q_per_channel_scales q_per_channel_zero_points q_per_channel_axis empty_quantized _empty_affine_quantized "
        "_empty_per_channel_affine_quantized _make_per_tensor_quantized_tensor _make_per_channel_quantized_tensor "
        "quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d quantized_batch_norm fused_moving_avg_obs_fake_quant "
        "choose_qparams_optimized fbgemm_linear_quantize_weight fbgemm_pack_quantized_matrix fbgemm_linear_int8_weight "
        "fbgemm_linear_int8_weight_fp32_activation fbgemm_pack_gemm_matrix_fp16 fbgemm_linear_fp16_weight "
        "fbgemm_linear_fp16_weight_fp32_activation quantized_lstm_cell quantized_gru_cell quantized_rnn_relu_cell "
        "quantized_rnn_tanh_cell".split(), "quantized",
    ),
    **dict.fromkeys(
        "AnyType AwaitType BoolType ClassType ComplexType DeviceObjType DictType EnumType FloatType FutureType InferredType IntType "
        "ListType NoneType NumberType OptionalType PyObjectType RRefType StreamObjType StringType SymBoolType SymIntType TensorType "
        "TupleType Type UnionType unify_type_list".split(), "jit._types",
    ),
    # Functions that need what is no tensor on the CPU, or no dense one: not ops.
    **dict.fromkeys(("native_norm", "sym_constrain_range", "sym_constrain_range_for_size"), "ops.segments"),
    **dict.fromkeys("batch_norm_stats batch_norm_elemt batch_norm_gather_stats batch_norm_gather_stats_with_counts "
                    "batch_norm_backward_reduce batch_norm_backward_elemt batch_norm_update_stats".split(), "ops.batch_statistics"),
    **dict.fromkeys([f"{n}_copy" for n in ("indices", "values", "crow_indices", "col_indices", "ccol_indices", "row_indices")], "ops.copies"),
    **dict.fromkeys(
        "_check _check_with _check_index _check_value _check_type _check_not_implemented _check_is_size _check_tensor_all "
        "_check_tensor_all_with _assert _assert_async _shape_as_tensor _convert_indices_from_coo_to_csr "
        "_convert_indices_from_csr_to_coo".split(), "_checks",
    ),
    **dict.fromkeys("ScriptDict ScriptDictIterator ScriptDictKeyIterator ScriptList ScriptListIterator".split(), "jit._containers"),
    **dict.fromkeys(("Argument", "FunctionSchema", "parse_schema"), "jit._schema"),
    "Storage": "storage", "_storage_classes": "storage", "_tensor_classes": "legacy", "sym_fresh_size": "_functions", "_debug_has_internal_overlap": "_functions", "thread_safe_generator": "random", "lobpcg": "_lobpcg", "PyTorchFileReader": "_records", "PyTorchFileWriter": "_records", "StorageBase": "storage",
    "fork": "jit", "wait": "jit", "Future": "futures", "FileCheck": "testing",
    **dict.fromkeys(("AcceleratorError", "FatalError", "JITException", "OutOfMemoryError"), "_errors"),
    **dict.fromkeys(("DispatchKey", "DispatchKeySet", "Tag"), "_dispatch_keys"),
    **dict.fromkeys(("cond", "while_loop"), "_control_flow"),
    **dict.fromkeys(
        "AVG SUM AggregationType BenchmarkConfig BenchmarkExecutionStats LockingLogger LoggerBase NoopLogger ThroughputBenchmark".split(),
        "_counters",
    ),
    **dict.fromkeys(
        "PRIVATE_OPS TYPE_CHECKING USE_GLOBAL_DEPS USE_RTLD_GLOBAL_WITH_LIBTORCH classproperty get_file_path prepare_multiprocessing_environment profiler_allow_cudagraph_cupti_lazy_reinit_cuda12".split(),
        "_utils_internal",
    ),
    **dict.fromkeys("eig lstsq matrix_rank solve symeig quantized_lstm quantized_gru".split(), "_removed"),
    **dict.fromkeys(
        "cudnn_affine_grid_generator cudnn_batch_norm cudnn_convolution cudnn_convolution_add_relu cudnn_convolution_relu "
        "cudnn_convolution_transpose cudnn_grid_sampler cudnn_is_acceptable miopen_batch_norm miopen_convolution "
        "miopen_convolution_add_relu miopen_convolution_relu miopen_convolution_transpose miopen_ctc_loss miopen_depthwise_convolution "
        "miopen_rnn mkldnn_adaptive_avg_pool2d mkldnn_convolution mkldnn_linear_backward_weights mkldnn_max_pool2d mkldnn_max_pool3d "
        "mkldnn_rnn_layer".split()
        + [f"{n}_{d}_{w}" for d in ("ipu", "xla") for n, w in (("is_autocast", "enabled"), ("set_autocast", "enabled"), ("get_autocast", "dtype"),
                                                             ("set_autocast", "dtype"))], "_vendors",
    ),
    **dict.fromkeys(
        ("UntypedStorage", "TypedStorage", *(f"{_dtypes.scalar_name(d)}Storage" for d in (*_dtypes.ALL, *_dtypes.QUANTIZED)
                                              if d not in _dtypes.FLOAT8 and d is not _dtypes.complex32)), "storage",
    ),
}  # fmt: skip


def __getattr__(name):
    if name in _LATER:
        value = getattr(_importlib.import_module(f"torsh.{_LATER[name]}"), name)
        globals()[name] = value
        return value
    if name in ("ScriptFunction", "ScriptModule", "ScriptObject"):  # asked for with isinstance: nothing here is one
        from torsh.compat import placeholders

        return placeholders.missing(f"torch.{name}")
    if not name.startswith("__") or name == "__config__":
        # Under the alias by that name, which also answers for packages torsh does not have.
        full = f"{_dtypes.namespace}.{name}"
        try:
            return _importlib.import_module(full)
        except ModuleNotFoundError as e:
            if e.name != full:
                raise
    raise AttributeError(
        f"module '{_dtypes.namespace}' has no attribute '{name}': either PyTorch {version.API} has no such name or torsh "
        f"{version.torsh} does not have it yet"
    )


from torsh import special  # noqa: E402
