-- wrk: one start, one join of a second user, an end and a repeated end for each call. Same environment as start.lua.
local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init()
  math.randomseed(os.time() * 16 + number)
  statuses = {}
  head = " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-API-Key: " .. os.getenv("API_KEY")
  waiting = {} -- requests that an answer has made possible, first in, first out
  first, last = 1, 0
  ended = {}
end

local function later(request)
  last = last + 1
  waiting[last] = request
end

function request()
  if first <= last then
    local path = waiting[first]
    waiting[first] = nil
    first = first + 1
    return "POST " .. path .. head .. "\r\nContent-Length: 0\r\n\r\n"
  end
  local body = '{"caller_id":"user-' .. math.random(100000) .. '"}'
  return "POST /calls" .. head .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

-- What an answer is to is told by the answer itself: 201 to a start, a token to a join, else to an end.
function response(status, _, body)
  statuses[status] = (statuses[status] or 0) + 1
  local id = body:match('"call_id": ?"([%x-]+)"')
  if status == 201 then
    later("/calls/" .. id .. "/join/user-" .. math.random(100000))
  elseif status == 200 and body:find('"livekit_token"', 1, true) then
    later("/calls/" .. id .. "/end")
  elseif status == 200 and not ended[id] then
    ended[id] = true
    later("/calls/" .. id .. "/end")
  elseif status == 200 then
    ended[id] = nil
  end
end

function done(summary)
  dofile(os.getenv("BENCH_LOAD") .. "/report.lua")(summary, threads)
end
