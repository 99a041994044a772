/**
 * What Redis does at once, in Lua. All keys of a journal have one hash tag, so that they are in one slot of a cluster. `meta` is a hash: `v`
 * the last version, `p` the last place, `l` the place up to which entries are lost, `b` the bytes of the log.
 */

/**
 * KEYS: record, meta. ARGV: expected version, bytes, keptMs. Answers the new version; 0 when it is stale, as it is when somebody
 * has put something else at its key.
 */
export const COMMIT = `
if (redis.pcall('HGET', KEYS[1], 'v') or '0') ~= ARGV[1] then return 0 end
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
 * KEYS: log, meta, and the keys of entries that have one. ARGV: topic, maxEntries, maxLogBytes, keptMs, how long a key counts; then
 * for each entry which of KEYS is its key, or nothing, and its body. Answers the places. Of entries that are too old, two at most leave with
 * each that comes.
 */
export const APPEND = `
local topic, keptMs, keyMs = ARGV[1], tonumber(ARGV[4]), ARGV[5]
local maxEntries, maxBytes = tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lost = tonumber(redis.call('HGET', KEYS[2], 'l') or '0')
local function cut(place, bytes)
  local old = 2
  while lost < place do
    local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
    if not oldest then break end
    if place - lost <= maxEntries and bytes <= maxBytes then
      if old == 0 or now - (tonumber(oldest[2][6] or '') or 0) < keptMs then break end
      old = old - 1
    end
    redis.call('XDEL', KEYS[1], oldest[1])
    lost = tonumber(string.match(oldest[1], '^%d+'))
    bytes = redis.call('HINCRBY', KEYS[2], 'b', -(#oldest[2][2] + #(oldest[2][4] or '')))
    redis.call('HSET', KEYS[2], 'l', lost)
  end
end
local places = {}
for i = 6, #ARGV, 2 do
  local key, body = KEYS[tonumber(ARGV[i])], ARGV[i + 1]
  local place = key and redis.call('GET', key)
  place = place and tonumber(place)
  if not place then
    place = redis.call('HINCRBY', KEYS[2], 'p', 1)
    redis.call('XADD', KEYS[1], place .. '-0', 't', topic, 'b', body, 'a', string.format('%.0f', now))
    if key then redis.call('SET', key, place, 'PX', keyMs) end
    cut(place, redis.call('HINCRBY', KEYS[2], 'b', #topic + #body))
  end
  places[#places + 1] = place
end
return places`;

/** KEYS: log, meta. ARGV: place, count. Answers the lost place, the last place, and entries behind the place. */
export const PAGE = `
local lost = tonumber(redis.call('HGET', KEYS[2], 'l') or '0')
local last = tonumber(redis.call('HGET', KEYS[2], 'p') or '0')
return { lost, last, redis.call('XRANGE', KEYS[1], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2]) }`;
