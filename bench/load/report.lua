-- What wrk counted, a line each, for bench.py to read.
return function(summary, threads)
  local total = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses")) do
      total[status] = (total[status] or 0) + count
    end
  end
  for status, count in pairs(total) do
    print("STATUS " .. status .. " " .. count)
  end
  local errors = summary.errors
  print("ERRORS " .. errors.connect + errors.read + errors.write + errors.timeout)
  print("SECONDS " .. summary.duration / 1e6)
end
