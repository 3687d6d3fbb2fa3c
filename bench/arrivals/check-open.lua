-- What wrk sends where it is to do as a burst does: on each connection something harmless, then, once all have been
-- answered, the request of check.lua on all at one moment. Arguments: connections, and milliseconds: to open
-- them, and then to get the answers.
local ffi = require('ffi')
ffi.cdef [[
  struct moment { long seconds; long micros; };
  int gettimeofday(struct moment *now, void *zone);
]]
local moment = ffi.new('struct moment')
-- By the clock and to the millisecond of wrk's own timers, so that those of all connections run out together. Not at
-- the end of a millisecond: wrk adds the delay to what the clock says right after.
local function now()
  repeat
    ffi.C.gettimeofday(moment, nil)
  until moment.micros % 1000 < 950
  return tonumber(moment.seconds) * 1000 + math.floor(tonumber(moment.micros) / 1000)
end

local ask, check, left, askAt, checkAt

function init(args)
  ask = wrk.format('GET', '/limit?key=demo-bench')
  check = wrk.format('POST', '/check', { ['content-type'] = 'application/json' }, '{"key":"demo-bench"}')
  -- One more: wrk looks at a request before it begins.
  left = tonumber(args[1]) + 1
  askAt = now() + tonumber(args[2])
  checkAt = askAt + tonumber(args[3])
end

-- Before each request of a connection.
function delay()
  local at = now()
  return math.max(0, (at < askAt and askAt or checkAt) - at)
end

function request()
  if left == 0 then return check end
  left = left - 1
  return ask
end
