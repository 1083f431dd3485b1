wrk.method = "POST"
wrk.headers["Host"] = os.getenv("ATOLL_HOST")
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"item": "lamp", "quantity": 2}'
