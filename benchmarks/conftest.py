"""Benchmarks measure with the tests' own pictures and networks."""

from tests.conftest import astronaut as astronaut
from tests.conftest import random_models as random_models
from tests.conftest import random_zoo as random_zoo
