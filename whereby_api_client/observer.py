"""Observe calls and the point budget. Public names of `budget.observer`."""

from .budget.observer import Attempt, CallReport, Observer, Refusal, Wait
from .budget.prices import LearnedPrice

__all__ = ["Attempt", "CallReport", "LearnedPrice", "Observer", "Refusal", "Wait"]
