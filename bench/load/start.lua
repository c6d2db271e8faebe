-- wrk: POST /calls, each by one of 100,000 users. Every answer must be 201.
-- The environment gives API_KEY; a line `STATUS <status> <count>` for each status is printed at the end.
local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init()
  math.randomseed(os.time() * 16 + number)
  statuses = {}
  local head = "POST /calls HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-API-Key: "
  before = head .. os.getenv("API_KEY") .. "\r\nContent-Length: "
end

function request()
  local body = '{"caller_id":"user-' .. math.random(100000) .. '"}'
  return before .. #body .. "\r\n\r\n" .. body
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
end

function done(summary)
  dofile(os.getenv("BENCH_LOAD") .. "/report.lua")(summary, threads)
end
