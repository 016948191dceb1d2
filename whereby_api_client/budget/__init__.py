"""The point budget: who may send a call, and when.

`headers` reads what a response says, `ledger` knows where each point is, `point_budget` puts a
queue and `loops` around it, `redis_budget` shares it between processes.
"""

from .headers import RateLimit as RateLimit
from .point_budget import BudgetSnapshot as BudgetSnapshot
from .point_budget import BudgetWait as BudgetWait
from .point_budget import Grant as Grant
from .point_budget import PointBudget as PointBudget
from .point_budget import Priority as Priority
