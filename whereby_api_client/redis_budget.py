"""`RedisPointBudget`: one budget for many processes. Public name of `budget.redis_budget`."""

from .budget.redis_budget import RedisPointBudget

__all__ = ["RedisPointBudget"]
