-- The generic cell rate algorithm over several buckets at once: counted in all of them, or in none.
-- KEYS: the buckets. ARGV: for each bucket its period and its tolerance (period times burst), in milliseconds.
-- Answers the number of the bucket that waits longest and how long, in milliseconds; zeros if the attempt may go on.
-- A bucket holds its theoretical arrival time, by this server's clock, and lives until that time is past.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limited, wait, arrivals = 0, 0, {}
for i, key in ipairs(KEYS) do
  local expected = math.max(tonumber(redis.call('GET', key) or now), now)
  local arrival = expected + tonumber(ARGV[2 * i - 1])
  local early = arrival - tonumber(ARGV[2 * i]) - now
  if early > wait then
    limited, wait = i, early
  end
  arrivals[i] = arrival
end
if limited == 0 then
  for i, key in ipairs(KEYS) do
    redis.call('SET', key, string.format('%.0f', arrivals[i]), 'PX', string.format('%.0f', math.max(arrivals[i] - now, 1)))
  end
end
return {limited, wait}
