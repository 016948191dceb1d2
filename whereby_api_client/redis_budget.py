"""`RedisPointBudget`: one budget for many processes. Public name of `budget.redis_budget`."""

from .budget.redis_budget import RedisPointBudget as RedisPointBudget
