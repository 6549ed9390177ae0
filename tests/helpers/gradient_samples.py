"""The conformance suite's samples of differentiable ops, as functions of their differentiable tensors."""

from __future__ import annotations

from itertools import islice

from torsh_conformance.sample import call_args, generate
from torsh_conformance.subjects import all_subjects

SUBJECTS = {s.name: s for s in all_subjects() if s.path and not s.random}


def calls(subject, dtype, lib, limit):
    """(number, function of the tensors of that dtype that gives the tensors among the results, these tensors) of each sample."""
    function = subject.function(lib)
    for number, sample in enumerate(islice(generate(subject.path, subject.generator, dtype), limit)):
        if "grad" in sample.skipped:
            continue
        args, kwargs = call_args(lib, sample)
        wanted = []

        def collect(x, wanted=wanted):
            if isinstance(x, lib.Tensor):
                if (
                    str(x.dtype).rpartition(".")[2] == dtype
                    and x.layout is lib.strided
                    and all(x is not t for t in wanted)
                ):
                    wanted.append(x)
            elif isinstance(x, (list, tuple)):
                for y in x:
                    collect(y)

        collect([*args, *kwargs.values()])

        def call(*tensors, args=args, kwargs=kwargs, wanted=wanted):
            def swap(x):
                if isinstance(x, lib.Tensor):
                    return next((t for t, w in zip(tensors, wanted) if w is x), x)
                return type(x)(swap(y) for y in x) if type(x) in (list, tuple) else x

            if subject.path.endswith("_"):
                tensors = tuple(t.clone() for t in tensors)
            found = function(*[swap(a) for a in args], **{k: swap(v) for k, v in kwargs.items()})
            return tuple(
                t for t in (found if isinstance(found, (tuple, list)) else (found,)) if isinstance(t, lib.Tensor)
            )

        if wanted:
            yield number, call, tuple(wanted)
