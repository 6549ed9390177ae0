"""Probability distributions.  Source: https://docs.pytorch.org/docs/stable/distributions.html"""

import sys as _sys
from importlib.machinery import ModuleSpec as _ModuleSpec
from types import ModuleType as _ModuleType

from torsh.distributions import (
    constraint_registry,
    constraints,
    continuous,
    discrete,
    kl,
    multivariate,
    transforms,
    vector_transforms,
)
from torsh.distributions._utils import (
    _standard_normal,
    _sum_rightmost,
    euler_constant,
    tril_matrix_to_vec,
    vec_to_tril_matrix,
)
from torsh.distributions.circular import VonMises
from torsh.distributions.constraint_registry import biject_to, transform_to
from torsh.distributions.continuous import (
    Beta,
    Cauchy,
    Chi2,
    Exponential,
    Gamma,
    Gumbel,
    HalfCauchy,
    HalfNormal,
    Laplace,
    Normal,
    StudentT,
    Uniform,
)
from torsh.distributions.discrete import (
    Bernoulli,
    Binomial,
    Categorical,
    Geometric,
    NegativeBinomial,
    OneHotCategorical,
    Poisson,
    clamp_probs,
    logits_to_probs,
    probs_to_logits,
)
from torsh.distributions.distribution import Distribution, broadcast_all, lazy_property
from torsh.distributions.exp_family import ExponentialFamily
from torsh.distributions.kl import kl_divergence, register_kl
from torsh.distributions.matrices import LKJCholesky, LowRankMultivariateNormal, Wishart
from torsh.distributions.multivariate import Dirichlet, Independent, MixtureSameFamily, Multinomial, MultivariateNormal
from torsh.distributions.positive import FisherSnedecor, GeneralizedPareto, InverseGamma, Kumaraswamy, Pareto, Weibull
from torsh.distributions.relaxed import (
    ContinuousBernoulli,
    ExpRelaxedCategorical,
    LogisticNormal,
    LogitRelaxedBernoulli,
    OneHotCategoricalStraightThrough,
    RelaxedBernoulli,
    RelaxedOneHotCategorical,
)
from torsh.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    ComposeTransform,
    ExpTransform,
    LogNormal,
    PowerTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    TanhTransform,
    Transform,
    TransformedDistribution,
    identity_transform,
)
from torsh.distributions.vector_transforms import (
    CatTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    ReshapeTransform,
    StackTransform,
    StickBreakingTransform,
)

__all__ = [
    "AbsTransform", "AffineTransform", "Bernoulli", "Beta", "Binomial", "CatTransform", "Categorical", "Cauchy",
    "Chi2", "ComposeTransform", "ContinuousBernoulli", "CorrCholeskyTransform", "CumulativeDistributionTransform",
    "Dirichlet", "Distribution", "ExpTransform", "Exponential", "FisherSnedecor", "Gamma", "GeneralizedPareto",
    "Geometric", "Gumbel", "HalfCauchy", "HalfNormal", "Independent", "IndependentTransform", "InverseGamma",
    "Kumaraswamy", "LKJCholesky", "Laplace", "LogNormal", "LogisticNormal", "LowRankMultivariateNormal",
    "LowerCholeskyTransform", "MixtureSameFamily", "Multinomial", "MultivariateNormal", "NegativeBinomial", "Normal",
    "OneHotCategorical", "OneHotCategoricalStraightThrough", "Pareto", "Poisson", "PositiveDefiniteTransform",
    "PowerTransform", "RelaxedBernoulli", "RelaxedOneHotCategorical", "ReshapeTransform", "SigmoidTransform",
    "SoftmaxTransform", "SoftplusTransform", "StackTransform", "StickBreakingTransform", "StudentT", "TanhTransform",
    "Transform", "TransformedDistribution", "Uniform", "VonMises", "Weibull", "Wishart", "biject_to",
    "constraint_registry", "constraints", "continuous", "discrete", "identity_transform", "kl", "kl_divergence",
    "multivariate", "register_kl", "transform_to", "transforms",
]  # fmt: skip

from torsh.distributions import kl_pairs as _kl_pairs

# Both kinds of transforms are in ``torch.distributions.transforms``; theirs need multivariate distributions to be there.
for _name in vector_transforms.__all__:
    setattr(transforms, _name, globals()[_name])
transforms.__all__ = [*transforms.__all__, *vector_transforms.__all__]

# PyTorch's modules, one per distribution: ``from torch.distributions.normal import Normal``.
_MODULES = {
    "bernoulli": "Bernoulli", "beta": "Beta", "binomial": "Binomial", "categorical": "Categorical", "cauchy": "Cauchy",
    "chi2": "Chi2", "continuous_bernoulli": "ContinuousBernoulli", "dirichlet": "Dirichlet", "exponential": "Exponential",
    "fishersnedecor": "FisherSnedecor", "gamma": "Gamma", "generalized_pareto": "GeneralizedPareto", "geometric": "Geometric",
    "gumbel": "Gumbel", "half_cauchy": "HalfCauchy", "half_normal": "HalfNormal", "independent": "Independent",
    "inverse_gamma": "InverseGamma", "kumaraswamy": "Kumaraswamy", "laplace": "Laplace", "lkj_cholesky": "LKJCholesky",
    "log_normal": "LogNormal", "logistic_normal": "LogisticNormal",
    "lowrank_multivariate_normal": "LowRankMultivariateNormal", "mixture_same_family": "MixtureSameFamily",
    "multinomial": "Multinomial", "multivariate_normal": "MultivariateNormal", "negative_binomial": "NegativeBinomial",
    "normal": "Normal", "one_hot_categorical": "OneHotCategorical OneHotCategoricalStraightThrough", "pareto": "Pareto",
    "poisson": "Poisson", "relaxed_bernoulli": "LogitRelaxedBernoulli RelaxedBernoulli",
    "relaxed_categorical": "ExpRelaxedCategorical RelaxedOneHotCategorical", "studentT": "StudentT",
    "transformed_distribution": "TransformedDistribution", "uniform": "Uniform",
    "utils": "broadcast_all clamp_probs euler_constant lazy_property logits_to_probs probs_to_logits tril_matrix_to_vec "
    "vec_to_tril_matrix _standard_normal _sum_rightmost", "von_mises": "VonMises",
    "weibull": "Weibull", "wishart": "Wishart",
}  # fmt: skip
for _name, _values in _MODULES.items():
    _module = _ModuleType(f"{__name__}.{_name}", f"What PyTorch has in ``torch.distributions.{_name}``.")
    _module.__spec__ = _ModuleSpec(_module.__name__, None)
    # Libraries import the base class from any of them.
    _module.__dict__.update(
        {v: globals()[v] for v in _values.split()},
        Distribution=Distribution,
        constraints=constraints,
        __all__=_values.split(),
    )
    _sys.modules[_module.__name__] = globals()[_name] = _module
