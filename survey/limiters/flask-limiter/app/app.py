import os

from flask import Flask, request
from flask_limiter import Limiter

app = Flask(__name__)
options = {}
if os.environ.get("TIMEOUT_SECONDS"):
    seconds = float(os.environ["TIMEOUT_SECONDS"])
    options = {"socket_connect_timeout": seconds, "socket_timeout": seconds}

limiter = Limiter(
    lambda: request.headers.get("x-api-key", "nobody"),
    app=app,
    storage_uri=os.environ["REDIS_URL"],
    storage_options=options,
    strategy=os.environ.get("STRATEGY", "fixed-window"),
    headers_enabled=True,
    swallow_errors=os.environ.get("SWALLOW_ERRORS") == "true",
    in_memory_fallback_enabled=os.environ.get("IN_MEMORY_FALLBACK") == "true",
)


@app.get("/healthz")
@limiter.exempt
def healthz():
    return "ok"


@app.get("/")
@limiter.limit(f"{os.environ['LIMIT']} per {os.environ['WINDOW_SECONDS']} second")
def hello():
    return "hello"
