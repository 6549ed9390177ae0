"""Optimizers and learning rate schedules.  Source: https://docs.pytorch.org/docs/stable/optim.html"""

from torsh.optim import lr_scheduler, swa_utils
from torsh.optim._adafactor import Adafactor
from torsh.optim._muon import Muon
from torsh.optim._swap import swap_in_optimizer_params_and_state
from torsh.optim.adadelta import Adadelta
from torsh.optim.adagrad import Adagrad
from torsh.optim.adam import Adam
from torsh.optim.adamax import Adamax
from torsh.optim.adamw import AdamW
from torsh.optim.asgd import ASGD
from torsh.optim.lbfgs import LBFGS
from torsh.optim.nadam import NAdam
from torsh.optim.optimizer import Optimizer
from torsh.optim.radam import RAdam
from torsh.optim.rmsprop import RMSprop
from torsh.optim.rprop import Rprop
from torsh.optim.sgd import SGD
from torsh.optim.sparse_adam import SparseAdam

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SparseAdam",
    "lr_scheduler",
    "swa_utils",
    "swap_in_optimizer_params_and_state",
]  # fmt: skip
