/**
 * What Redis does at once, in Lua. All keys of a journal have one hash tag, so that they are in one slot of a cluster. `meta` is a hash: `v`
 * the last version, `p` the last place, `l` the place up to which entries are lost, `b` the bytes of the log.
 */

/** KEYS: record, meta. ARGV: expected version, bytes, keptMs. Answers the new version; 0 when it is stale. */
export const COMMIT = `
if (redis.call('HGET', KEYS[1], 'v') or '0') ~= ARGV[1] then return 0 end
local version = redis.call('HINCRBY', KEYS[2], 'v', 1)
redis.call('HSET', KEYS[1], 'v', version, 'b', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return version`;

/** KEYS: record. ARGV: expected version. Answers 0 when it is stale. */
export const REMOVE = `
local version = redis.call('HGET', KEYS[1], 'v')
if version and version ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1`;

/**
 * KEYS: log, meta, and the key if there is one. ARGV: topic, body, maxEntries, maxLogBytes, keptMs, how long the key counts. Answers the
 * place. Of entries that are too old, two at most leave with each that comes.
 */
export const APPEND = `
if KEYS[3] then
  local used = redis.call('GET', KEYS[3])
  if used then return tonumber(used) end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local place = redis.call('HINCRBY', KEYS[2], 'p', 1)
redis.call('XADD', KEYS[1], place .. '-0', 't', ARGV[1], 'b', ARGV[2], 'a', string.format('%.0f', now))
local bytes = redis.call('HINCRBY', KEYS[2], 'b', #ARGV[1] + #ARGV[2])
local lost = tonumber(redis.call('HGET', KEYS[2], 'l') or '0')
local old = 2
while lost < place do
  local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  if not oldest then break end
  local over = place - lost > tonumber(ARGV[3]) or bytes > tonumber(ARGV[4])
  if not over then
    if old == 0 or now - tonumber(oldest[2][6]) < tonumber(ARGV[5]) then break end
    old = old - 1
  end
  redis.call('XDEL', KEYS[1], oldest[1])
  lost = tonumber(string.match(oldest[1], '^%d+'))
  bytes = redis.call('HINCRBY', KEYS[2], 'b', -(#oldest[2][2] + #oldest[2][4]))
  redis.call('HSET', KEYS[2], 'l', lost)
end
if KEYS[3] then redis.call('SET', KEYS[3], place, 'PX', ARGV[6]) end
return place`;

/** KEYS: log, meta. ARGV: place, count. Answers the lost place, the last place, and entries behind the place. */
export const PAGE = `
local lost = tonumber(redis.call('HGET', KEYS[2], 'l') or '0')
local last = tonumber(redis.call('HGET', KEYS[2], 'p') or '0')
return { lost, last, redis.call('XRANGE', KEYS[1], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2]) }`;
