"""All of httpx: how a call gets onto the wire, and how its response is handled.

    Sender                     sender.py            one call: request, deadline, errors
      → httpx.AsyncClient      loop_clients.py      one for each event loop
          RetryTransport       retries.py           another attempt, where it can do no harm
            → BudgetTransport  budget_transport.py  waits for points, settles them
              → PoolTransport  pool.py              connections that survive cancellation

The budget sits inside the retries, so each attempt pays again, and outside the connection pool, so
a call that waits for points holds no connection. What the chain has to know about a call travels
with its request: `call_context.py`.
"""
