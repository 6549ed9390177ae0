"""``grad``, ``vjp``, ``jvp``, Jacobians and Hessians of functions, which nest with each other and with ``vmap``.

``grad``, ``vjp`` and ``jacrev`` run on the reverse-mode engine, ``jvp`` and ``jacfwd`` on forward mode (``autograd._forward``).
``linearize``, whose map is applied to tangents that come later, records: its directional derivative is the derivative of a
vector-Jacobian product, which is linear in its cotangent, with respect to that cotangent.

Source: https://docs.pytorch.org/docs/stable/func.api.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from torsh import autograd
from torsh.autograd._forward import Level, dual, recorded, released, rooted, shown, switch
from torsh.autograd.function import around, fresh_leaf
from torsh.autograd.grad_mode import enable_grad, thread
from torsh.dispatch import modes
from torsh.func._batched import Batched, VmapMode, batched, pull, push
from torsh.func._directions import Directions
from torsh.func._tree import flatten, map_leaves, unflatten
from torsh.func._vmap import vmap
from torsh.tensor import Tensor


def _levels() -> list[tuple[int, int]]:
    """(level, size) of the maps around, outermost first."""
    return [(m.level, m.size) for m in modes() if isinstance(m, VmapMode) and not isinstance(m, Directions)]


def _plain(t: Tensor, levels: Sequence[tuple[int, int]]) -> Tensor:
    """A tensor with the batches of ``levels`` as ordinary leading dimensions, outermost first."""
    for level, size in reversed(levels):
        t = pull(t, level, size)
    return t


def _examples(t: Tensor, levels: Sequence[tuple[int, int]]) -> Tensor:
    """Undo ``_plain``."""
    for level, _ in levels:
        t = push(t, level)
    return t


def _track(t: Tensor) -> Tensor:
    """A tensor of the same values to differentiate with respect to, connected to ``t`` for outer derivatives."""
    return t.view(tuple(t.shape)) if t._rg else fresh_leaf(t)


class _Inputs:
    """Leaves of some arguments, tracked; under maps each example has its own."""

    def __init__(self, leaves: Sequence[Any]) -> None:
        self.levels = _levels()
        self.plain: list[Tensor] = []
        self.values: list[Any] = []
        for t in leaves:
            if not isinstance(t, Tensor):
                raise ValueError(f"Thing passed to transform API must be Tensor, got {type(t)}")
            if not t._kind.inexact:
                raise RuntimeError(f"only Tensors of floating point dtype can require gradients, got {t.dtype}")
            p = _track(_plain(t, self.levels))
            self.plain.append(p)
            self.values.append(_examples(p, self.levels))

    def pullback(self, outputs: Sequence[Tensor], cotangents: Sequence[Tensor]) -> list[Tensor]:
        """Gradients of the outputs' products with cotangents, one per leaf; zeros where nothing depends."""
        outs, cots = [], []
        for o, c in zip(outputs, cotangents):
            o = _plain(o, self.levels)
            if isinstance(o, Batched):
                raise RuntimeError("the function's result is mapped by a vmap that its inputs are outside of")
            if o._rg:
                outs.append(o)
                cots.append(_plain(c, self.levels))
        if not outs:
            return [_examples(p.new_zeros(tuple(p.shape)), self.levels) for p in self.plain]
        found = autograd.grad(outs, self.plain, cots, create_graph=True, allow_unused=True)
        return [
            _examples(p.new_zeros(tuple(p.shape)) if g is None else g, self.levels) for p, g in zip(self.plain, found)
        ]


def _release(x: Any, outer: bool) -> Any:
    """A result without this transform's graph, unless something outside differentiates on."""
    return x if outer or not isinstance(x, Tensor) else released(x)


def _checked_aux(aux: Any) -> Any:
    """What a function gives besides its result: tensors only."""
    for x in flatten(aux)[0]:
        if not isinstance(x, Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(x)}")
    return aux


def _released_aux(aux: Any, outer: bool) -> Any:
    """The same without this transform's graph."""
    _checked_aux(aux)
    return map_leaves(lambda x: _release(x, outer), aux)


def _outer(leaves: Sequence[Any]) -> bool:
    """Whether results must stay connected: an argument is tracked from outside, or a transform around is at work; never inside
    ``no_grad``.
    """
    return thread.enabled and (_depth.count > 1 or any(isinstance(t, Tensor) and recorded(t) for t in leaves))


class _Depth:
    count = 0

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(self, *exc: object) -> None:
        self.count -= 1


class _Calling:
    """Around the call of a user's function by a transform."""

    def __enter__(self) -> None:
        around.transforms += 1

    def __exit__(self, *exc: object) -> None:
        around.transforms -= 1


_calling = _Calling()


class _ForwardMode:
    """Around the passes that give a directional derivative."""

    def __enter__(self) -> None:
        around.forward_mode += 1

    def __exit__(self, *exc: object) -> None:
        around.forward_mode -= 1


_depth = _Depth()


def _tensors(result: Any, name: str) -> tuple[list[Tensor], Any]:
    leaves, spec = flatten(result)
    if not leaves or (len(leaves) == 1 and leaves[0] is None):
        raise RuntimeError(f"{name}: Expected f to be a function that has non-empty output (got output = {leaves})")
    for t in leaves:
        if not isinstance(t, Tensor):
            raise RuntimeError(f"{name}: expected f(*primals) to return only tensors, got unsupported type {type(t)}")
    return leaves, spec


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(``func(*primals)``, a function from cotangents of the result to a tuple of gradients of the primals).

    has_aux: ``func`` gives (result, aux); aux comes back as a third item.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.vjp.html

    >>> import torsh
    >>> value, pull = torsh.func.vjp(lambda x: x ** 2, torsh.tensor([3.]))
    >>> pull(torsh.tensor([1.]))
    (tensor([6.]),)
    """
    leaves, spec = flatten(primals)
    with enable_grad():
        inputs = _Inputs(leaves)
        with _calling:
            result = func(*unflatten(inputs.values, spec))
        aux = None
        if has_aux:
            if not (isinstance(result, tuple) and len(result) == 2):
                raise RuntimeError(
                    "vjp(f, *primals): output of function f should be a tuple: (output, aux) if has_aux is True"
                )
            result, aux = result
        outputs, out_spec = _tensors(result, "vjp(f, *primals)")
    outer = _outer(leaves)

    def pullback(cotangents: Any, *more: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        if more:
            cotangents = (cotangents, *more)
        given, given_spec = flatten(cotangents)
        if given_spec != out_spec:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function. cotangents: "
                f"{given_spec}, primal output: {out_spec}"
            )
        with enable_grad():
            found = inputs.pullback(outputs, given)
        connected = thread.enabled and (outer or _outer(given))
        return unflatten([_release(g, connected) for g in found], spec)

    values = unflatten([_release(o, outer) for o in outputs], out_spec)
    return (values, pullback, _released_aux(aux, outer)) if has_aux else (values, pullback)


def grad_and_value(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives (gradients with respect to the arguments ``argnums``, value of ``func``).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.grad_and_value.html

    >>> import torsh
    >>> torsh.func.grad_and_value(lambda x: (x ** 2).sum())(torsh.tensor([3.]))
    (tensor([6.]), tensor(9.))
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        chosen = _chosen(argnums, args)
        leaves, spec = flatten(tuple(args[i] for i in chosen))
        outer = _outer(leaves) or _outer(flatten((args, kwargs))[0]) or (thread.enabled and _depth.count > 0)
        with _depth, enable_grad():
            inputs = _Inputs(leaves)
            tracked = unflatten(inputs.values, spec)
            given = list(args)
            for i, value in zip(chosen, tracked):
                given[i] = value
            with _calling:
                output = func(*given, **kwargs)
            aux = None
            if has_aux:
                if not (isinstance(output, tuple) and len(output) == 2):
                    raise RuntimeError(
                        "grad_and_value(f)(*args): output of function f should be a tuple: (output, aux) if has_aux is True"
                    )
                output, aux = output
            if not isinstance(output, Tensor):
                raise RuntimeError(
                    f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(output).__name__}"
                )
            if output.ndim:
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar tensor, got tensor with "
                    f"{output.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            found = inputs.pullback([output], [_ones(output)])
        gradients = unflatten([_release(g, outer) for g in found], spec)
        value = _release(output, outer)
        if has_aux:
            value = (value, _released_aux(aux, outer))
        return (gradients if isinstance(argnums, tuple) else gradients[0]), value

    return wrapper


def _ones(t: Tensor) -> Tensor:
    return t.new_ones(tuple(t.shape)) if not isinstance(t, Batched) else (t.detach() * 0 + 1)


def _chosen(argnums: Any, args: Sequence[Any]) -> list[int]:
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if isinstance(argnums, tuple) and not argnums:
        raise RuntimeError("argnums must be non-empty")
    found = []
    for i in argnums if isinstance(argnums, tuple) else (argnums,):
        if not isinstance(i, int):
            raise RuntimeError(f"argnum must be int, got: {type(i)}")
        if not -len(args) <= i < len(args):
            raise RuntimeError(f"Got argnum={i}, but only {len(args)} positional inputs")
        found.append(i % len(args))
    if len(set(found)) != len(found):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return found


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of a function with one value, with respect to the arguments ``argnums``.

    has_aux: ``func`` gives (value, aux), the result (gradient, aux).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.grad.html

    >>> import torsh
    >>> f = lambda x: (x ** 3).sum()
    >>> torsh.func.grad(f)(torsh.tensor([2.]))
    tensor([12.])
    >>> torsh.func.grad(lambda x: torsh.func.grad(f)(x).sum())(torsh.tensor([2.]))  # the second derivative
    tensor([12.])
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradients, value = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return wrapper


def _of_chosen(
    func: Any, chosen: Sequence[int], args: Sequence[Any], kwargs: dict[str, Any], aux: list[Any] | None
) -> Callable[..., Any]:
    """A function of some of its arguments only; what it gives besides its result goes to ``aux``."""

    def run(*values: Any) -> Any:
        given = list(args)
        for i, v in zip(chosen, values):
            given[i] = v
        result = func(*given, **kwargs)
        if aux is None:
            return result
        if not (isinstance(result, tuple) and len(result) == 2):
            raise RuntimeError("output of function f should be a tuple: (output, aux) if has_aux is True")
        aux[:] = [_checked_aux(result[1])]
        return result[0]

    return run


def _all_real(name: str, what: str, tensors: Sequence[Any]) -> None:
    for i, t in enumerate(tensors):
        if isinstance(t, Tensor) and t._kind.complex:
            raise RuntimeError(
                f"{name}: Expected all {what}s to be real but received complex tensor at flattened {what} idx: {i}; take the real and "
                "imaginary parts (torch.view_as_real) as what is differentiated"
            )


_JVP = "jvp(f, primals, tangents)"


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """(``func(*primals)``, its directional derivative along ``tangents``).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.jvp.html

    >>> import torsh
    >>> torsh.func.jvp(torsh.sin, (torsh.tensor(0.),), (torsh.tensor(2.),))  # (value, derivative times tangent)
    (tensor(0.), tensor(2.))
    """
    if not isinstance(primals, tuple):
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    leaves, spec = flatten(primals)
    directions, directions_spec = flatten(tangents)
    if directions_spec != spec:
        raise RuntimeError(
            f"{_JVP}: Expected primals and tangents to have the same python structure. For example, if primals is a tuple of 3 tensors, "
            f"tangents also must be. Got primals with structure {spec} and tangents with structure {directions_spec}"
        )
    if not leaves:
        raise RuntimeError(f"{_JVP}: Expected primals to contain at least one Tensor.")
    for role, given in (("primals", leaves), ("tangents", directions)):
        for t in given:
            if not isinstance(t, Tensor):
                raise RuntimeError(f"{_JVP}: Expected {role} to only contain Tensors, got {type(t)}")
    for t, d in zip(leaves, directions):
        if tuple(t.shape) != tuple(d.shape):
            raise RuntimeError(
                "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. "
                f"Tensor is of size {list(t.shape)} while the given forward gradient is of size {list(d.shape)}."
            )
    for t in leaves:
        if not t._kind.inexact:
            raise ValueError(f"Expected primal to be floating point or complex, but got: {t.dtype}")
    for d in directions:
        if not d._kind.inexact:
            raise ValueError(f"Expected tangent to be floating point or complex, but got: {d.dtype}")
    before, switch.enabled = switch.enabled, True
    try:
        with Level() as level:
            duals = [dual(level, t, d) for t, d in zip(leaves, directions)]
            with _calling:
                result = func(*unflatten(duals, spec))
            aux = None
            if has_aux:
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise RuntimeError(
                        f"{_JVP}: output of function f should be a tuple: (output, aux) if has_aux is True"
                    )
                result, aux = result
            outputs, out_spec = _tensors(result, _JVP)
            found = [level.of(o) for o in outputs]
            if strict and any(d is None for d in found):
                raise RuntimeError(
                    "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not allowed with "
                    "strict=True."
                )
            # An argument that comes back as it is, is given back as another tensor: its tangent of this level ends here.
            values = unflatten([rooted(o) if any(o is d for d in duals) else o for o in outputs], out_spec)
            derivatives = unflatten([_zeros(o) if d is None else shown(o, d) for o, d in zip(outputs, found)], out_spec)
    finally:
        switch.enabled = before
    return (values, derivatives, _checked_aux(aux)) if has_aux else (values, derivatives)


def _zeros(t: Tensor) -> Tensor:
    """Zeros of a tensor's shape, an example of the maps that it is one of."""
    if isinstance(t, Batched):
        return batched(_zeros(t._physical), t._level)
    return t.detach().new_zeros(tuple(t.shape))  # type: ignore[no-any-return]


def _push_forward(inputs: _Inputs, outputs: Sequence[Tensor], directions: Sequence[Tensor]) -> list[Tensor]:
    """Directional derivatives: differentiate the pullback, which is linear in its cotangents, with respect to these."""
    import torsh

    levels = inputs.levels
    plain = [_plain(o, levels) for o in outputs]
    # The pullback is linear in its cotangent: any point will do, and 0 is one where rules that divide or take logarithms fail.
    probes = [torsh.ones_like(p.detach()).requires_grad_() for p in plain]
    tracked = [(p, q) for p, q in zip(plain, probes) if p._rg]
    zero = [p.new_zeros(tuple(p.shape)) for p in plain]
    if not tracked:
        return [_examples(z, levels) for z in zero]
    with _ForwardMode():
        first = autograd.grad(
            [p for p, _ in tracked], inputs.plain, [q for _, q in tracked], create_graph=True, allow_unused=True
        )
    pairs = [(g, _plain(d, levels)) for g, d in zip(first, directions) if g is not None and g._rg]
    if not pairs:
        return [_examples(z, levels) for z in zero]
    second = autograd.grad([g for g, _ in pairs], probes, [d for _, d in pairs], create_graph=True, allow_unused=True)
    return [_examples(z if s is None else s, levels) for z, s in zip(zero, second)]


def linearize(func: Callable[..., Any], *primals: Any) -> Any:
    """(``func(*primals)``, the function from tangents to directional derivatives at ``primals``).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.linearize.html

    >>> import torsh
    >>> value, tangent_map = torsh.func.linearize(lambda x: x ** 2, torsh.tensor([3.]))
    >>> value, tangent_map(torsh.tensor([1.]))
    (tensor([9.]), tensor([6.]))
    """
    leaves, spec = flatten(primals)
    with enable_grad():
        inputs = _Inputs(leaves)
        with _calling:
            result = func(*unflatten(inputs.values, spec))
        outputs, out_spec = _tensors(result, _JVP)
    outer = _outer(leaves)

    def apply(*tangents: Any) -> Any:
        directions, given = flatten(tangents)
        if given != spec:
            raise RuntimeError(
                f"Expected the tangents ({len(directions)} tensors) to have the same argspec as the primals ({len(leaves)} tensors)"
            )
        for i, (t, d) in enumerate(zip(leaves, directions)):
            if tuple(t.shape) != tuple(d.shape):
                raise RuntimeError(
                    f"tangent:{i} with shape {d.shape} in flattened pytree doesn't match the shape {t.shape} of the corresponding "
                    "primal."
                )
        with enable_grad():
            found = _push_forward(inputs, outputs, directions)
        return unflatten([_release(d, outer) for d in found], out_spec)

    return unflatten([_release(o, outer) for o in outputs], out_spec), apply


def _basis(t: Tensor) -> Tensor:
    """All unit tensors of a tensor's shape, stacked in front."""
    import torsh

    n = t.numel()
    return torsh.eye(n, dtype=t.dtype, device=t.device).reshape((n, *t.shape))


def jacrev(
    func: Callable[..., Any],
    argnums: Any = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """The Jacobian by rows: one vector-Jacobian product per output element, all at once (``chunk_size``: that many at a time).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.jacrev.html

    >>> import torsh
    >>> torsh.func.jacrev(lambda x: x ** 2)(torsh.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        chosen = _chosen(argnums, args)
        aux_box: list[Any] = []
        of_chosen = _of_chosen(func, chosen, args, kwargs, aux_box if has_aux else None)
        _all_real("jacrev", "input", flatten([args[i] for i in chosen])[0])
        with _depth:
            value, pullback = vjp(of_chosen, *[args[i] for i in chosen])
            outputs, out_spec = _tensors(value, "jacrev")
            _all_real("jacrev", "output", outputs)
            blocks = []
            for k, out in enumerate(outputs):
                zeros = [o.new_zeros(tuple(o.shape)) if not isinstance(o, Batched) else o.detach() * 0 for o in outputs]

                def one(v: Tensor, k: int = k, zeros: list[Tensor] = zeros) -> Any:
                    return pullback(unflatten([*zeros[:k], v, *zeros[k + 1 :]], out_spec))

                rows = vmap(one, chunk_size=chunk_size)(_basis(out))
                rows = map_leaves(lambda r, out=out: r.reshape((*out.shape, *r.shape[1:])), rows)
                blocks.append(rows if isinstance(argnums, tuple) else rows[0])
        outer = _outer([args[i] for i in chosen]) or (thread.enabled and _depth.count > 0)
        found = map_leaves(lambda r: _release(r, outer), unflatten(blocks, out_spec))
        return (found, aux_box[0]) if has_aux else found

    return wrapper


def jacfwd(
    func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """The Jacobian by columns: one directional derivative per input element, all at once.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.jacfwd.html

    >>> import torsh
    >>> torsh.func.jacfwd(lambda x: x ** 2)(torsh.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        chosen = _chosen(argnums, args)
        aux_box: list[Any] = []
        of_chosen = _of_chosen(func, chosen, args, kwargs, aux_box if has_aux else None)
        leaves, spec = flatten(tuple(args[i] for i in chosen))
        _all_real("jacfwd", "input", leaves)
        if randomness == "different":  # every direction sees its own values
            columns, out_spec = _direction_by_direction(of_chosen, leaves, spec)
        else:
            columns, out_spec = in_all_directions(
                lambda *values: of_chosen(*unflatten(list(values), spec)), leaves, randomness, True
            )
        by_output = [c if isinstance(argnums, tuple) else c[0] for c in (unflatten(list(c), spec) for c in columns)]
        found = unflatten(by_output, out_spec)
        return (found, aux_box[0]) if has_aux else found

    return wrapper


def in_all_directions(
    func: Callable[..., Any], leaves: Sequence[Any], randomness: str = "error", real: bool = False
) -> tuple[list[list[Tensor]], Any]:
    """The derivatives of a function's results by all elements of its arguments: [[by argument] by result], and the results' structure.

    real: whether complex results are refused.
    """
    for t in leaves:
        if not isinstance(t, Tensor):
            raise RuntimeError(f"{_JVP}: Expected primals to only contain Tensors, got {type(t)}")
        if not t._kind.inexact:
            raise ValueError(f"Expected primal to be floating point or complex, but got: {t.dtype}")
    maps = _levels()
    sizes = [t.numel() for t in leaves]
    total = sum(sizes)
    plain = [rooted(_plain(t, maps)) for t in leaves]
    lead = len(maps)
    before, switch.enabled = switch.enabled, True
    try:
        with Directions(total, randomness) as directions, Level() as level:
            for p, unit in zip(plain, _units(plain, sizes, lead)):
                level.give(p, directions.example(unit))
            with _calling:
                result = func(*[_examples(p, maps) for p in plain])
            outputs, out_spec = _tensors(result, _JVP)
            if real:
                _all_real("jacfwd", "output", outputs)
            ends = [_plain(o, maps) for o in outputs]
            found = [level.of(o) for o in ends]
    finally:
        switch.enabled = before
    columns = []
    for o, d in zip(ends, found):
        shape = tuple(o.shape)
        d = directions.batch_of(o, d).movedim(0, -1)
        parts = d.split(sizes, -1) if len(sizes) > 1 else (d,)
        columns.append([_examples(part.reshape((*shape, *t.shape)), maps) for part, t in zip(parts, leaves)])
    return columns, out_spec


def _units(tensors: Sequence[Tensor], sizes: Sequence[int], lead: int) -> list[Tensor]:
    """For every direction in turn (one for each element of an example of a tensor) the tangents of all tensors, whose first ``lead``
    dimensions are those of maps.
    """
    import torsh

    total, start, found = sum(sizes), 0, []
    for p, n in zip(tensors, sizes):
        before, after = (torsh.zeros(m, n, dtype=p.dtype, device=p.device) for m in (start, total - start - n))
        unit = torsh.cat([before, torsh.eye(n, dtype=p.dtype, device=p.device), after])
        batch, own = tuple(p.shape)[:lead], tuple(p.shape)[lead:]
        found.append(unit.reshape((total, *(1,) * lead, *own)).expand((total, *batch, *own)))
        start += n
    return found


def _direction_by_direction(
    func: Callable[..., Any], leaves: Sequence[Any], spec: Any
) -> tuple[list[list[Tensor]], Any]:
    """``in_all_directions`` as a ``vmap`` of directional derivatives."""
    sizes = [t.numel() for t in leaves]
    units = [u.detach() for u in _units([_shape_of(t) for t in leaves], sizes, 0)]

    def one(*tangents: Tensor) -> Any:
        return jvp(func, tuple(unflatten(list(leaves), spec)), tuple(unflatten(list(tangents), spec)))[1]

    outs, out_spec = flatten(vmap(one, randomness="different")(*units))
    columns = []
    for d in outs:
        d = d.movedim(0, -1)
        parts = d.split(sizes, -1)
        columns.append([part.reshape((*d.shape[:-1], *t.shape)) for part, t in zip(parts, leaves)])
    return columns, out_spec


def _shape_of(t: Tensor) -> Tensor:
    """A tensor of the same shape and type that is no example of a map."""
    import torsh

    return torsh.empty(tuple(t.shape), dtype=t.dtype, device=t.device)  # type: ignore[no-any-return]


def hessian(func: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """The second derivatives of a function with one value.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.hessian.html

    >>> import torsh
    >>> torsh.func.hessian(lambda x: (x ** 3).sum())(torsh.tensor([1., 2.]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """The function itself: writes in place are carried out, and results are the same.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.functionalize.html

    >>> import torsh
    >>> torsh.func.functionalize(lambda x: x.clone().add_(1))(torsh.tensor([1.]))
    tensor([2.])
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            "functionalize(f, remove='mutations'): received invalid argument for 'remove', expected 'mutations' or "
            f"'mutations_and_views', got {remove!r}"
        )
    return func
