-- For `wrk -s`: the percentiles of which bench/connections.py makes its table, in microseconds, and what went wrong.
done = function(summary, latency, requests)
  io.write(string.format("percentiles %d %d %d\n", latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
  local errors = summary.errors
  io.write(string.format("errors %d\n", errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
