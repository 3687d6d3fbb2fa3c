import os
from contextlib import asynccontextmanager

import redis.asyncio as redis
from fastapi import Depends, FastAPI
from fastapi_limiter import FastAPILimiter
from fastapi_limiter.depends import RateLimiter

options = {}
if os.environ.get("TIMEOUT_SECONDS"):
    seconds = float(os.environ["TIMEOUT_SECONDS"])
    options = {"socket_connect_timeout": seconds, "socket_timeout": seconds}


async def identifier(request):
    return request.headers.get("x-api-key", "nobody")


@asynccontextmanager
async def lifespan(_app):
    connection = redis.from_url(
        os.environ["REDIS_URL"], encoding="utf-8", decode_responses=True, **options
    )
    await FastAPILimiter.init(connection, identifier=identifier)
    yield
    await FastAPILimiter.close()


app = FastAPI(lifespan=lifespan)


@app.get("/healthz")
async def healthz():
    return "ok"


limiter = RateLimiter(times=int(os.environ["LIMIT"]), seconds=int(os.environ["WINDOW_SECONDS"]))


@app.get("/", dependencies=[Depends(limiter)])
async def hello():
    return "hello"
