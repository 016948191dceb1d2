"""All of httpx: connections for each event loop, retries, budget transport, pool, proxies."""
