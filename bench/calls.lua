-- One AWS call over and over; ATOLL_CALL says which. Signed as by an access key that the server does not know.
local call = os.getenv("ATOLL_CALL")
local queue = os.getenv("ATOLL_QUEUE_URL") or ""
local service = call == "SendMessage" and "sqs" or "dynamodb"
local target = call == "SendMessage" and "AmazonSQS.SendMessage" or "DynamoDB_20120810." .. call

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-amz-json-1.0"
wrk.headers["X-Amz-Target"] = target
wrk.headers["X-Amz-Date"] = os.date("!%Y%m%dT%H%M%SZ")
wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=test/" .. os.date("!%Y%m%d") .. "/us-east-1/" .. service ..
  "/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" .. string.rep("0", 64)

local counter = 0
function setup(thread) counter = counter + 1; thread:set("seed", counter * 7919) end
function init() math.randomseed(seed) end

local text = string.rep("x", 200)
function request()
  local body
  if call == "SendMessage" then
    body = '{"QueueUrl":"' .. queue .. '","MessageBody":"' .. text .. '"}'
  elseif call == "PutItem" then
    body = '{"TableName":"bench","Item":{"id":{"S":"k' .. math.random(1, 10000) .. '"},"name":{"S":"a name"},"n":{"N":"12345"},"data":{"S":"' .. text .. '"}}}'
  else
    body = '{"TableName":"bench","Key":{"id":{"S":"k' .. math.random(1, 10000) .. '"}}}'
  end
  return wrk.format(nil, nil, nil, body)
end
