"""Observe calls and the point budget. Public names of `budget.observer`."""

from .budget.observer import Attempt as Attempt
from .budget.observer import CallReport as CallReport
from .budget.observer import Observer as Observer
from .budget.observer import Refusal as Refusal
from .budget.observer import Wait as Wait
from .budget.prices import LearnedPrice as LearnedPrice
