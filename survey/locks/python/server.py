"""A lock of a library behind HTTP, as its documentation shows it: LIB, PORT and REDIS_URL in its environment.

COMMAND_TIMEOUT sets a timeout for each command, in milliseconds, without retries. Default: the settings of redis-py.
SENTINELS and MASTER replace the URL.
"""

import json
import os
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import redis
import redis_lock
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

TTL_SECONDS = 5
timeout = os.environ.get("COMMAND_TIMEOUT")
options = {"socket_timeout": int(timeout) / 1000, "retry": Retry(NoBackoff(), 0)} if timeout else {}
sentinels = [tuple(address.split(":")) for address in os.environ.get("SENTINELS", "").split(",") if address]
client = (
    Sentinel(sentinels).master_for(os.environ["MASTER"], **options)
    if sentinels
    else redis.Redis.from_url(os.environ["REDIS_URL"], **options)
)


def redis_py(key):
    # The release comes in another thread than the acquire.
    return client.lock(key, timeout=TTL_SECONDS, thread_local=False)


def python_redis_lock(key):
    return redis_lock.Lock(client, key, expire=TTL_SECONDS)


new_lock = {"redis-py": redis_py, "python-redis-lock": python_redis_lock}[os.environ["LIB"]]
held = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.reply(200)

    def do_POST(self):
        lock = new_lock(f"lock:{self.path.split('/')[-1]}")
        try:
            if not lock.acquire(blocking=False):
                return self.reply(409)
        except redis.RedisError:
            return self.reply(503)
        token = str(uuid.uuid4())
        held[token] = lock
        self.reply(200, json.dumps({"token": token}))

    def do_DELETE(self):
        lock = held.pop(self.headers.get("x-lock-token"), None)
        try:
            if lock:
                lock.release()
            self.reply(204)
        except redis.exceptions.LockError:
            # It had ended before.
            self.reply(204)
        except (redis.RedisError, redis_lock.NotAcquired):
            self.reply(503)

    def reply(self, status, body=""):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


ThreadingHTTPServer((os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])), Handler).serve_forever()
