"""The only place that imports httpx.

Its last stable release is from 2024, and parts of the field have moved to `httpx2`, which keeps its
API. With one import, that move is one line here.
"""

import httpx as httpx
