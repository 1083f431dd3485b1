wrk.method = "POST"
wrk.headers["Host"] = os.getenv("HOST")
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"item": "lamp", "quantity": 2}'
