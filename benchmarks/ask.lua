-- What wrk asks. Arguments behind `--`: a file of paths, one a line, asked in turn, never twice unless there is
-- one alone; then, for a POST, the file of its body. Headers come by -H.

local paths, turn = {}, 0

function init(args)
  for line in io.lines(args[1]) do paths[#paths + 1] = line end
  if args[2] then
    wrk.method = "POST"
    wrk.body = io.open(args[2], "rb"):read("*a")
  end
  wrk.path = paths[1]
  if #paths > 1 then
    request = function()
      turn = turn + 1
      return wrk.format(nil, paths[turn] or "/the-list-was-too-short")
    end
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
