"""The point budget: who may send a call, and when.

`headers` reads the rate limit of a response, `ledger` knows where each point is, `queue` orders the
calls that wait in their event `loops`; `point_budget` is a queue before a ledger, `redis_budget`
shares the ledger between processes.
"""

from .headers import RateLimit as RateLimit
from .interface import Budget as Budget
from .interface import BudgetSnapshot as BudgetSnapshot
from .point_budget import PointBudget as PointBudget
from .queue import BudgetWait as BudgetWait
from .queue import Grant as Grant
from .queue import Priority as Priority
