-- What wrk sends: the request of a burst.
wrk.method = "POST"
wrk.path = "/check"
wrk.body = '{"key":"demo-bench"}'
wrk.headers["content-type"] = "application/json"
