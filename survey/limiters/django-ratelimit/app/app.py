"""A project of Django in one file."""

import os

from django.conf import settings

redis_options = {"CLIENT_CLASS": "django_redis.client.DefaultClient"}
if os.environ.get("TIMEOUT_SECONDS"):
    seconds = float(os.environ["TIMEOUT_SECONDS"])
    redis_options |= {"SOCKET_CONNECT_TIMEOUT": seconds, "SOCKET_TIMEOUT": seconds}
if os.environ.get("IGNORE_EXCEPTIONS") == "true":
    redis_options["IGNORE_EXCEPTIONS"] = True

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of no use here",
    CACHES={
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": os.environ["REDIS_URL"],
            "OPTIONS": redis_options,
        }
    },
    RATELIMIT_FAIL_OPEN=os.environ.get("FAIL_OPEN") == "true",
)

import django  # noqa: E402

django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django_ratelimit.decorators import ratelimit  # noqa: E402
from django_ratelimit.exceptions import Ratelimited  # noqa: E402

rate = f"{os.environ['LIMIT']}/{os.environ['WINDOW_SECONDS']}s"


def healthz(request):
    return HttpResponse("ok")


@ratelimit(key="header:x-api-key", rate=rate, block=True)
def hello(request):
    return HttpResponse("hello")


def handler403(request, exception=None):
    return HttpResponse("denied", status=429 if isinstance(exception, Ratelimited) else 403)


urlpatterns = [path("healthz", healthz), path("", hello)]
app = get_wsgi_application()
