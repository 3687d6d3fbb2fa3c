import os

from fastapi import FastAPI, Request, Response
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded

options = {}
if os.environ.get("TIMEOUT_SECONDS"):
    seconds = float(os.environ["TIMEOUT_SECONDS"])
    options = {"socket_connect_timeout": seconds, "socket_timeout": seconds}

limiter = Limiter(
    key_func=lambda request: request.headers.get("x-api-key", "nobody"),
    storage_uri=os.environ["REDIS_URL"],
    storage_options=options,
    headers_enabled=True,
    swallow_errors=os.environ.get("SWALLOW_ERRORS") == "true",
    in_memory_fallback_enabled=os.environ.get("IN_MEMORY_FALLBACK") == "true",
)
app = FastAPI()
app.state.limiter = limiter
app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)
limit = f"{os.environ['LIMIT']} per {os.environ['WINDOW_SECONDS']} second"


@app.get("/healthz")
async def healthz():
    return "ok"


@app.get("/")
@limiter.limit(limit)
async def hello(request: Request, response: Response):
    return "hello"


@app.get("/threaded")
@limiter.limit(limit)
def threaded(request: Request, response: Response):
    return "hello"
