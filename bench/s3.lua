-- PutObject, GetObject and ListObjectsV2 over plain connections; S3_CALL says which, S3_BYTES how large the objects are.
local call, bytes = os.getenv("S3_CALL"), tonumber(os.getenv("S3_BYTES") or "0")
local headers = {
  ["Authorization"] = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
  ["X-Amz-Content-Sha256"] = "UNSIGNED-PAYLOAD",
}
local body = string.rep("x", bytes)
local threads, made = 0, 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

-- Made once: a megabyte put together for each request would measure the load generator.
local requests = {}

function init()
  if call == "put" then
    for i = 1, bytes > 100000 and 20 or 200 do
      requests[i] = wrk.format("PUT", string.format("/bench/%d/%d-%d", bytes, number or 0, i), headers, body)
    end
  elseif call == "get" then
    requests[1] = wrk.format("GET", string.format("/bench/%d/object", bytes), headers)
  else  -- a page of a thousand from somewhere among the hundred thousand
    for i = 1, 97 do
      requests[i] = wrk.format("GET", string.format("/listed?list-type=2&start-after=k%06d", (i * 7919) % 99000), headers)
    end
  end
end

function request()
  made = made % #requests + 1
  return requests[made]
end
