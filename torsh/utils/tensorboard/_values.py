"""Values as TensorBoard's records (``Summary.Value``)."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

from torsh.tensor import Tensor


def array(value: Any) -> np.ndarray[Any, Any]:
    """A tensor, array, number or list of numbers as an array."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        return value.float().numpy() if value.dtype.name in ("bfloat16", "float16") else value.numpy()
    if isinstance(value, (np.ndarray, np.generic, int, float, complex, list, tuple)):
        return np.atleast_1d(np.asarray(value))
    raise NotImplementedError(f"Got {type(value)}, but numpy array or torch tensor are expected.")


def _named(plugin: str, content: bytes = b"") -> SummaryMetadata:
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin, content=content))


def _number(value: float, kind: str) -> TensorProto:
    return TensorProto(dtype=kind, **{{"DT_FLOAT": "float_val", "DT_DOUBLE": "double_val"}[kind]: [value]})


def scalar(tag: str, value: Any, new_style: bool = False, double_precision: bool = False) -> Summary:
    """One number."""
    numbers = array(value).squeeze()
    if numbers.ndim:
        raise AssertionError(
            f"Tensor should contain one element (0 dimensions). Was given size: {numbers.size} and {numbers.ndim} dimensions."
        )
    number = float(numbers)
    if new_style:
        kind = "DT_DOUBLE" if double_precision else "DT_FLOAT"
        return Summary(value=[Summary.Value(tag=tag, tensor=_number(number, kind), metadata=_named("scalars"))])
    return Summary(value=[Summary.Value(tag=tag, simple_value=number)])


def histogram_of(values: np.ndarray[Any, Any], bins: Any, max_bins: int | None) -> HistogramProto:
    """How often values fall between limits; empty bins at both ends are left out, up to one."""
    if values.size == 0:
        raise ValueError("The input has no element.")
    flat = values.reshape(-1).astype(np.float64)
    counts, limits = np.histogram(flat, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        step = len(counts) // max_bins
        rest = (-len(counts)) % step
        counts = np.pad(counts, (0, rest)).reshape(-1, step).sum(-1)
        limits = np.append(limits[:-1][::step], limits[-1])
    filled = np.flatnonzero(counts)
    if len(filled) == 0:
        raise ValueError("The histogram is empty, please file a bug report.")
    start, end = filled[0], filled[-1] + 1
    # A record's limits are the upper ends of its bins: an empty one in front says where the first filled one begins.
    shown = counts[start - 1 : end] if start > 0 else np.concatenate([[0], counts[:end]])
    return histogram_raw(flat.min(), flat.max(), flat.size, flat.sum(), flat @ flat, limits[start : end + 1], shown)


def histogram_raw(low: Any, high: Any, num: Any, total: Any, squares: Any, limits: Any, counts: Any) -> HistogramProto:
    """A histogram from its parts."""
    return HistogramProto(
        min=float(low), max=float(high), num=float(num), sum=float(total), sum_squares=float(squares),
        bucket_limit=[float(v) for v in limits], bucket=[float(v) for v in counts],
    )  # fmt: skip


def default_bins() -> list[float]:
    """TensorFlow's limits: growing by a tenth from 1e-12 to 1e20, and the same below zero."""
    above, v = [], 1e-12
    while v < 1e20:
        above.append(v)
        v *= 1.1
    return [*(-v for v in reversed(above)), 0.0, *above]


def image(
    tag: str, picture: np.ndarray[Any, Any], layout: str, rescale: float = 1, boxes: Any = None, labels: Any = None
) -> Summary:
    """A picture (or a batch of them, side by side); floating values from 0 to 1, integers from 0 to 255."""
    shown = _hwc(picture, layout)
    scaled = shown.astype(np.float32) * (1 if picture.dtype == np.uint8 else 255)
    return Summary(
        value=[Summary.Value(tag=tag, image=_encoded(np.clip(scaled, 0, 255).astype(np.uint8), rescale, boxes, labels))]
    )


def _hwc(picture: np.ndarray[Any, Any], layout: str) -> np.ndarray[Any, Any]:
    """Any order of dimensions as height, width, three colours; a batch becomes a grid."""
    letters = layout.upper()
    if len(set(letters)) != len(letters) or len(letters) != picture.ndim or set(letters) - set("NCHW"):
        raise AssertionError(
            f"size of input tensor and input format are different. tensor shape: {picture.shape}, input_format: {layout}"
        )
    order = [letters.index(c) for c in "NHWC" if c in letters]
    found = picture.transpose(order)
    if "C" not in letters:
        found = found[..., None]
    if "N" in letters:
        found = _grid(found)
    return np.repeat(found, 3, -1) if found.shape[-1] == 1 else found


def _grid(batch: np.ndarray[Any, Any], columns: int = 8) -> np.ndarray[Any, Any]:
    n, height, width, colours = batch.shape
    columns = min(n, columns)
    rows = -(-n // columns)
    found = np.zeros((rows * height, columns * width, colours), batch.dtype)
    for i, one in enumerate(batch):
        y, x = divmod(i, columns)
        found[y * height : (y + 1) * height, x * width : (x + 1) * width] = one
    return found


def _encoded(picture: np.ndarray[Any, Any], rescale: float, boxes: Any = None, labels: Any = None) -> Any:
    from PIL import Image, ImageDraw

    height, width, colours = picture.shape
    shown = Image.fromarray(picture)
    if boxes is not None:
        draw = ImageDraw.Draw(shown)
        for i, box in enumerate(np.asarray(boxes).reshape(-1, 4).tolist()):
            draw.rectangle(box, outline="Red", width=2)
            if labels is not None:
                draw.text((box[0], box[1]), str(labels[i]), fill="Red")
    shown = shown.resize((int(width * rescale), int(height * rescale)), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    shown.save(file, format="PNG")
    return Summary.Image(height=height, width=width, colorspace=colours, encoded_image_string=file.getvalue())


def audio(tag: str, sound: np.ndarray[Any, Any], rate: int) -> Summary:
    """Sound from -1 to 1, as 16 bit PCM."""
    import wave

    samples = sound.squeeze()
    if samples.ndim != 1:
        raise AssertionError("input tensor should be 1 dimensional.")
    file = io.BytesIO()
    with wave.open(file, "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(rate)
        f.writeframes((np.clip(samples, -1, 1) * 32767.0).astype("<i2").tobytes())
    content = Summary.Audio(
        sample_rate=rate,
        num_channels=1,
        length_frames=len(samples),
        encoded_audio_string=file.getvalue(),
        content_type="audio/wav",
    )
    return Summary(value=[Summary.Value(tag=tag, audio=content)])


def text(tag: str, words: str) -> Summary:
    """Text, shown as Markdown."""
    from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData

    content = TensorProto(
        dtype="DT_STRING",
        string_val=[words.encode("utf8")],
        tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
    )
    meta = _named("text", TextPluginData(version=0).SerializeToString())
    return Summary(value=[Summary.Value(tag=f"{tag}/text_summary", metadata=meta, tensor=content)])


def pr_curve(tag: str, table: np.ndarray[Any, Any], thresholds: int) -> Summary:
    """Rows: true and false positives, true and false negatives, precision, recall."""
    from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData

    meta = _named("pr_curves", PrCurvePluginData(version=0, num_thresholds=thresholds).SerializeToString())
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=n) for n in table.shape])
    content = TensorProto(dtype="DT_FLOAT", tensor_shape=shape, float_val=table.reshape(-1).tolist())
    return Summary(value=[Summary.Value(tag=tag, metadata=meta, tensor=content)])


def pr_table(
    labels: np.ndarray[Any, Any], predictions: np.ndarray[Any, Any], thresholds: int, weights: Any = None
) -> np.ndarray[Any, Any]:
    """What :func:`pr_curve` shows, at thresholds evenly from 0 to 1."""
    truth, score = labels.reshape(-1), predictions.reshape(-1)
    weight = np.ones_like(score, dtype=np.float64) if weights is None else array(weights).reshape(-1)
    at = np.int32(np.floor(score * (thresholds - 1)))
    ends = (0, thresholds - 1)
    tp, _ = np.histogram(at, thresholds, ends, weights=truth * weight)
    fp, _ = np.histogram(at, thresholds, ends, weights=(1 - truth) * weight)
    tp, fp = np.cumsum(tp[::-1])[::-1], np.cumsum(fp[::-1])[::-1]
    tn, fn = fp[0] - fp, tp[0] - tp
    precision = tp / np.maximum(1e-7, tp + fp)
    return np.stack((tp, fp, tn, fn, precision, tp / np.maximum(1e-7, tp + fn)))


def hparams(
    given: dict[str, Any], metrics: dict[str, Any], domains: dict[str, Any] | None = None
) -> tuple[Summary, Summary, Summary]:
    """The records of a run's settings and of which numbers are its results: (experiment, start, end)."""
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    def record(tag: str, **content: Any) -> Summary:
        data = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, **content)
        meta = _named(metadata.PLUGIN_NAME, data.SerializeToString())
        return Summary(value=[Summary.Value(tag=tag, metadata=meta)])

    start = plugin_data_pb2.SessionStartInfo()
    infos = []
    for name, value in given.items():
        if value is None:
            continue
        plain = array(value).item() if isinstance(value, (Tensor, np.generic)) else value
        if isinstance(plain, (int, float)):  # Booleans as well, as in PyTorch's files
            start.hparams[name].number_value = plain
            kind = api_pb2.DATA_TYPE_FLOAT64
        elif isinstance(plain, str):
            start.hparams[name].string_value, kind = plain, api_pb2.DATA_TYPE_STRING
        else:
            raise ValueError("value should be one of int, float, str, bool, or torch.Tensor")
        info = api_pb2.HParamInfo(name=name, type=kind)
        info.domain_discrete.extend((domains or {}).get(name, []))
        infos.append(info)
    named = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=m)) for m in metrics]
    return (
        record(metadata.EXPERIMENT_TAG, experiment=api_pb2.Experiment(hparam_infos=infos, metric_infos=named)),
        record(metadata.SESSION_START_INFO_TAG, session_start_info=start),
        record(
            metadata.SESSION_END_INFO_TAG,
            session_end_info=plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS),
        ),
    )
