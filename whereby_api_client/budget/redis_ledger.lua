-- The books of a point budget that many processes share, kept inside Redis.
--
-- One call of this script is one exchange with one process: it tells how its calls ended and which
-- ones wait, and learns which of them may go. Everything happens at once (Redis runs one script at a
-- time) and on the clock of Redis, so the clocks of the processes need not agree.
--
-- The first part is `ledger.py` line by line, under the same names: why it does what it does is
-- written there, and tests/budget/redis/test_same_ledger.py holds the two together. The second part is what
-- only many processes need: who they are, whose turn it is, and how they hear of it.
--
-- KEYS[1] holds all of the books, one MessagePack string: one key lives in one slot of a cluster,
-- expires as a whole, and cannot be half written. ARGV[1] is the request, JSON (redis_ledger.py).

local LEAST_LIMIT, GREATEST_LIMIT = 10, 1000000
local DRIFT, TICK, PATIENCE = 0.0005, 0.001, 1.0
local BITE, SPREAD = 4, 20
local STARTING_LIMIT = 100
local FOREGROUND_TURNS = 9
local FOREGROUND, BACKGROUND = 1, 2  -- 0: put back after a 429
-- MessagePack has infinities, but not every Redis-like server's does.
local NEVER, ALWAYS = -1e18, 1e18
-- Redis forgets the books of an organization that has made no call for so many periods.
local KEPT = 5

local min, max, ceil, floor = math.min, math.max, math.ceil, math.floor

local ask = cjson.decode(ARGV[1])
local period = ask.period
local hold = period * (1 + DRIFT) + TICK
local patience = min(PATIENCE, period / 4)

local L  -- the books
local now

---------------------------------------------------------------------------------------------------
-- ledger.py

local function new_books()
  return {
    limit = ask.limit or STARTING_LIMIT,
    in_flight = 0, counted = 0, lost = 0, foreign = 0,
    paused_until = NEVER, last_sent = NEVER,
    counted_list = {}, lost_list = {},  -- of {points, sent at, due}
    foreign_due = NEVER, foreign_since = NEVER,
    spent_total = 0, entered_total = 0, returned_total = 0,
    cautious = true, cautious_since = NEVER,
    -- others_seen: absent
    doubt_until = NEVER,
    -- window_end: absent
    window_floor = NEVER, window_from = NEVER, is_fixed = false,
    -- what the second part needs
    id = ask.process, latest = 0, shift = 0, processes = {}, queue = {}, orders = 0,
    turns = 0,
  }
end

local function available()
  return L.limit - L.in_flight - L.counted - L.lost - L.foreign
end

local function append(spent, points, sent_at, due)
  due = ceil(due / TICK) * TICK
  local last = spent[#spent]
  if last and last[3] >= due then
    last[1] = last[1] + points
    last[2] = min(last[2], sent_at)
  else
    spent[#spent + 1] = {points, sent_at, due}
  end
end

-- Take the first n off a list, in one step.
local function drop(list, n)
  if n == 0 then return end
  local length = #list
  for i = 1, length do list[i] = list[i + n] end
end

local function take_due(list)
  local n, points = 0, 0
  while list[n + 1] and list[n + 1][3] <= now do
    n = n + 1
    points = points + list[n][1]
  end
  drop(list, n)
  return points
end

local function return_foreign(points)
  L.foreign = L.foreign - points
  L.returned_total = L.returned_total + points
end

local function return_oldest(points)
  points = min(points, L.counted)
  L.counted = L.counted - points
  L.returned_total = L.returned_total + points
  local n, list = 0, L.counted_list
  while points > 0 do
    local oldest = list[n + 1]
    if oldest[1] > points then
      oldest[1] = oldest[1] - points
      break
    end
    points = points - oldest[1]
    n = n + 1
  end
  drop(list, n)
end

local function advance()
  local points = take_due(L.counted_list)
  L.counted = L.counted - points
  L.returned_total = L.returned_total + points
  points = take_due(L.lost_list)
  L.lost = L.lost - points
  L.returned_total = L.returned_total + points
  if L.foreign > 0 and L.foreign_due <= now then return_foreign(L.foreign) end
end

local function may_probe(missing)
  if not L.window_end or now < L.window_end or now < L.doubt_until then return false end
  local back = L.foreign
  if L.is_fixed then
    local due = L.window_floor + hold
    for _, spent in ipairs(L.counted_list) do
      if spent[3] < due then back = back + spent[1] end
    end
  end
  return missing <= back
end

local function next_turn(cost)
  local left, window_end = available(), L.window_end
  if not window_end or L.last_sent >= window_end or left * SPREAD >= L.limit or left <= 0 then
    return NEVER
  end
  return L.last_sent + (window_end - L.last_sent) * min(1.0, cost / left)
end

local function admits(cost, reserve)
  if now < L.paused_until then return false end
  local in_flight = now < L.last_sent + patience and L.in_flight or 0
  if L.cautious and in_flight > 0 then return false end
  local left = available() - cost
  if left < reserve and not may_probe(-left) then return false end
  if not L.others_seen then return true end
  return in_flight * BITE <= max(0, left) and now >= next_turn(cost)
end

-- A ticket travels to the process and back as text, so that nobody rounds it.
local function write_ticket(sent_at, entered_before, returned_before)
  return string.format('%.17g %.17g %.17g', sent_at, entered_before, returned_before)
end

local function take(cost)
  if L.window_end and now >= L.window_end then
    L.window_end = nil
    L.window_from = now
  end
  local missing = cost - available()
  if missing > 0 then
    local from_foreign = min(missing, L.foreign)
    return_foreign(from_foreign)
    return_oldest(missing - from_foreign)
  end
  L.in_flight = L.in_flight + cost
  L.spent_total = L.spent_total + cost
  L.last_sent = now
  return write_ticket(now, L.entered_total, L.returned_total)
end

local function refund(cost)
  L.in_flight = L.in_flight - cost
  L.spent_total = L.spent_total - cost
end

local function lose(cost, sent_at)
  L.in_flight = L.in_flight - cost
  L.lost = L.lost + cost
  append(L.lost_list, cost, sent_at, now + hold + patience)
end

local function weigh(forgotten, answered, counts, server_limit)
  local since = answered
  for _, spent in ipairs(L.counted_list) do
    if forgotten <= 0 then return end
    local age = now - spent[2]
    if age < period and since - server_limit * age / period > counts + 1 then
      L.is_fixed = true
      return
    end
    since = since - spent[1]
    forgotten = forgotten - spent[1]
  end
end

local function notice_others(ticket, counts, answered)
  local unexplained = counts - (L.spent_total - ticket.returned_before)
  if unexplained > 0 then L.others_seen = now end
  if L.others_seen then
    unexplained = counts - ticket.cost - answered - L.lost - L.foreign
  end
  if unexplained > 0 then
    L.foreign = L.foreign + unexplained
    L.spent_total = L.spent_total + unexplained
    L.foreign_since = now
  end
  if L.foreign > 0 then L.foreign_due = now + hold end
end

local function notice_window(ticket, said, is_first, is_new)
  local is_late = ticket.sent_at < L.window_from
    or (L.window_end and ticket.sent_at < L.window_end)
  if is_late and not is_first and not is_new then return end
  L.window_floor = is_first and ticket.sent_at + period * (1 - DRIFT) or NEVER
  L.window_end = now + hold
  if L.foreign > 0 and said.window_left then
    L.window_end = min(L.window_end, now + said.window_left + TICK)
  end
end

local function reconcile(ticket, remaining, said)
  local server_limit = said.limit or L.limit
  if remaining > server_limit then return end
  local counts = server_limit - remaining
  local beside = max(0, counts - ticket.cost)
  local answered = max(0, L.counted - (L.entered_total - ticket.entered_before))
  local forgotten = 0
  if now >= L.doubt_until then
    if ticket.sent_at >= L.foreign_since then
      return_foreign(min(L.foreign, max(0, answered + L.foreign - beside)))
    end
    forgotten = max(0, answered - beside)
    if forgotten > 0 then
      weigh(forgotten, answered, counts, server_limit)
      return_oldest(forgotten)
    end
  end
  notice_others(ticket, L.limit - remaining, answered - forgotten)
  notice_window(ticket, said, beside == 0, forgotten > 0)
end

local function next_return()
  local when
  for _, list in ipairs({L.counted_list, L.lost_list}) do
    if list[1] then when = min(when or list[1][3], list[1][3]) end
  end
  if L.foreign > 0 then when = min(when or L.foreign_due, L.foreign_due) end
  return when and max(when, L.paused_until)
end

local function pause_length(said)
  local wait = said.retry_in
  local window_left = L.window_end and L.window_end - now or ALWAYS
  if not wait or wait == 0 then
    local back = next_return()
    wait = period
    if window_left > 0 then wait = min(wait, window_left) end
    if back and back - now > 0 then wait = min(wait, back - now) end
  elseif not said.retry_is_exact and wait <= window_left and window_left <= wait + 1 then
    wait = window_left
  end
  return min(wait, period)
end

local function pause(ticket, said)
  L.paused_until = max(min(L.paused_until, now + period), now + pause_length(said))
  if not L.others_seen then L.doubt_until = now + 2 * period end
  if said.remaining and said.remaining >= ticket.cost then L.doubt_until = now + 10 * period end
  if now < L.doubt_until then L.is_fixed = false end
  L.others_seen = now
  local free = max(0, available())
  L.foreign = L.foreign + free
  L.spent_total = L.spent_total + free
  L.foreign_since = now
  L.foreign_due = L.paused_until
  L.cautious = true
  L.cautious_since = now
end

local function settle(ticket, said, rejected)
  L.in_flight = L.in_flight - ticket.cost
  if said.limit and said.limit >= LEAST_LIMIT and said.limit <= GREATEST_LIMIT then
    L.limit = ask.ceiling and min(said.limit, ask.ceiling) or said.limit
  end
  if not rejected then
    if ticket.sent_at >= L.cautious_since then L.cautious = false end
    if L.others_seen and now - L.others_seen > 2 * period then L.others_seen = nil end
    if said.remaining then reconcile(ticket, said.remaining, said) end
  end
  L.counted = L.counted + ticket.cost
  L.entered_total = L.entered_total + ticket.cost
  append(L.counted_list, ticket.cost, ticket.sent_at, now + hold)
  if rejected then pause(ticket, said) end
end

local function next_change(cost)
  if now < L.paused_until then return L.paused_until end
  local when = ALWAYS
  local function at(moment)
    if moment and moment > now then when = min(when, moment) end
  end
  at(L.counted_list[1] and L.counted_list[1][3])
  at(L.lost_list[1] and L.lost_list[1][3])
  if L.foreign > 0 then at(L.foreign_due) end
  at(L.window_end)
  if L.in_flight > 0 then at(L.last_sent + patience) end
  if L.others_seen then at(next_turn(cost)) end
  return when < ALWAYS and when or nil
end

local all_returns  -- in their order; made once, because many calls may ask

local function returns()
  if not all_returns then
    all_returns = {{L.foreign, NEVER, L.foreign_due}}
    for _, list in ipairs({L.counted_list, L.lost_list}) do
      for _, spent in ipairs(list) do all_returns[#all_returns + 1] = spent end
    end
    table.sort(all_returns, function(a, b) return a[3] < b[3] end)
  end
  return all_returns
end

-- Only when nothing is going to change any more.
local function earliest(points)
  local start = max(now, L.paused_until)
  local missing = points - available() - 1
  if missing < 0 then return start end
  local rounds, need = floor(missing / L.limit), missing % L.limit
  local when = now + hold
  for _, spent in ipairs(returns()) do
    need = need - spent[1]
    if need < 0 then
      when = spent[3]
      break
    end
  end
  if L.window_end then
    when = min(when, L.window_end)
  elseif L.window_from > NEVER and L.in_flight > 0 then
    when = now
  end
  return max(start, when) + rounds * period
end

---------------------------------------------------------------------------------------------------
-- many processes
--
-- L.processes[name] = {
--   seen: when it last called,
--   seq: the number of that call,
--   in_flight: points of its calls that it knows to be granted,
--   address: where it can be told that there is mail,
--   mail: {want's id, points, ticket}: granted, and not yet fetched,
--   more: {class, since} of the first calls of each class that wait and are not in our queue,
--   ask_at: when it will call again by itself because of its waiting calls }
-- L.queue: of {class, since, order, process, id, points}, in the order of their turns

local news = {}  -- what other processes have to hear: address -> in how many seconds to call

local function comes_before(a, b)
  if a[1] ~= b[1] then return a[1] < b[1] end
  if a[2] ~= b[2] then return a[2] < b[2] end
  return (a[3] or ALWAYS) < (b[3] or ALWAYS)
end

local function leave_queue(leaves)
  local kept = {}
  for _, want in ipairs(L.queue) do
    if not leaves(want) then kept[#kept + 1] = want end
  end
  L.queue = kept
end

-- What a process tells comes a little late, now more, now less: that must not change its order.
local function since_of(name, class, waited)
  local since = now - waited
  for _, want in ipairs(L.queue) do
    if want[4] == name and want[1] == class then since = max(since, want[2]) end
  end
  return since
end

local function enqueue(name, id, class, waited, points)
  L.orders = L.orders + 1
  local want = {class, since_of(name, class, waited), L.orders, name, id, points}
  local i = #L.queue
  while i > 0 and comes_before(want, L.queue[i]) do
    L.queue[i + 1] = L.queue[i]
    i = i - 1
  end
  L.queue[i + 1] = want
end

-- Take a process out of the books. What it never fetched it never sent. What becomes of the rest of
-- its points, `how` says.
local function remove(name, how)
  local process = L.processes[name]
  if not process then return end
  leave_queue(function(want) return want[4] == name end)
  for _, letter in ipairs(process.mail) do refund(letter[2]) end
  if process.in_flight > 0 then how(process.in_flight, process.seen) end
  L.processes[name] = nil
end

local function bury_the_dead()
  for name, process in pairs(L.processes) do
    if now > process.seen + ask.lease then
      -- `append` never puts a return before one that is there already: a little late, not early.
      remove(name, function(points, seen)
        L.in_flight = L.in_flight - points
        L.lost = L.lost + points
        append(L.lost_list, points, seen, seen + hold + patience)
      end)
    end
  end
end

-- A process comes (back) with calls that were not granted here, while it could not reach us.
local function adopt_in_flight(points)
  L.in_flight = L.in_flight + points
  L.spent_total = L.spent_total + points
  -- When it was sent is not known here. So its response proves nothing, and that is safe.
  return write_ticket(NEVER, 0, 0)
end

local function adopt_spent(list, points, due)
  local i = #list
  while i > 0 and list[i][3] > due do
    list[i + 1] = list[i]
    i = i - 1
  end
  list[i + 1] = {points, NEVER, due}
  L.spent_total = L.spent_total + points
end

local function join(process, past, is_new)
  remove(past.replaces, refund)
  local tickets = {}
  for i, points in ipairs(past.in_flight) do
    process.in_flight = process.in_flight + points
    tickets[i] = adopt_in_flight(points)
    L.last_sent = now  -- answers may be near
  end
  for _, spent in ipairs(past.spent) do
    local points, ago, is_lost, is_known = spent[1], spent[2], spent[3], spent[4]
    local left = hold - ago + (is_lost and patience or 0)
    -- If these are still the books that it knows, they hold what it told them.
    if left > 0 and (is_new or not is_known) then
      if is_lost then
        L.lost = L.lost + points
        adopt_spent(L.lost_list, points, now + left)
      else
        L.counted = L.counted + points
        L.entered_total = L.entered_total + points
        adopt_spent(L.counted_list, points, now + left)
      end
    end
  end
  if past.paused_for > 0 then
    L.paused_until = max(L.paused_until, now + min(past.paused_for, period))
  end
  return tickets
end

local function end_call(process, kind, points, ticket, said)
  if ticket == '' then
    ticket = adopt_in_flight(points)
  else
    process.in_flight = process.in_flight - points
  end
  local sent_at, entered_before, returned_before = ticket:match('(%S+) (%S+) (%S+)')
  if kind == 'refund' then
    refund(points)
  elseif kind == 'lose' then
    lose(points, tonumber(sent_at))
  else
    settle({
      cost = points, sent_at = tonumber(sent_at),
      entered_before = tonumber(entered_before), returned_before = tonumber(returned_before),
    }, said, kind == 'reject')
  end
end

local function reserved(points)
  return min(floor(L.limit * ask.reserve), L.limit - points)
end

-- Whose turn it is: `PointBudget._next` and `_count_turn`.
local function next_want()
  local first = L.queue[1]
  if first and first[1] == FOREGROUND and L.turns >= FOREGROUND_TURNS then
    for i, want in ipairs(L.queue) do
      if want[1] == BACKGROUND then return want, i end
    end
  end
  return first, 1
end

local function count_turn(class)
  if class == BACKGROUND then
    L.turns = 0
    return
  end
  for _, want in ipairs(L.queue) do
    if want[1] == BACKGROUND then
      if now - want[2] > period then L.turns = L.turns + 1 end
      return
    end
  end
end

local function is_waited_for(want)
  -- Somebody has more calls than it has told us of, and they come before this one.
  local is_its_turn = want[1] == BACKGROUND and L.turns >= FOREGROUND_TURNS
  for name, process in pairs(L.processes) do
    for _, more in ipairs(name ~= want[4] and process.more or {}) do
      if comes_before(more, want) and not (is_its_turn and more[1] == FOREGROUND) then
        return true
      end
    end
  end
  return false
end

local function serve()
  while true do
    local want, i = next_want()
    if not want or is_waited_for(want) then return end
    local class, points = want[1], want[6]
    local ticket = ''  -- refused: it can never be made
    if points <= L.limit then
      local has_to_leave = class == BACKGROUND and L.turns < FOREGROUND_TURNS
      if not admits(points, has_to_leave and reserved(points) or 0) then return end
      ticket = take(points)
    end
    table.remove(L.queue, i)
    if ticket ~= '' then count_turn(class) end
    local process = L.processes[want[4]]
    process.mail[#process.mail + 1] = {want[5], ticket == '' and 0 or points, ticket}
    if want[4] ~= ask.process then news[process.address] = 0 end
  end
end

-- How long a call would have to wait, whether it stands in our queue or behind those that do.
local function quote(class, waited, points, points_ahead, calls_ahead)
  local since = now - waited
  for _, want in ipairs(L.queue) do
    if want[4] ~= ask.process and comes_before(want, {class, since, 0}) then
      points_ahead = points_ahead + want[6]
      calls_ahead = calls_ahead + 1
    end
  end
  local need = points_ahead + points
  if class == BACKGROUND then need = need + reserved(points) end
  return calls_ahead, max(0, earliest(need) - now)
end

-- The process whose call is next watches the clock for all. Tell it when, if it does not know.
local function next_to_ask(process)
  local head = next_want()
  process.ask_at = nil
  if not head then return nil end
  local when = next_change(head[6])
  if not when then return nil end
  if head[4] == ask.process then
    process.ask_at = when
    return when - now
  end
  local other = L.processes[head[4]]
  if not other.ask_at or other.ask_at > when + TICK then
    other.ask_at = when
    news[other.address] = news[other.address] or when - now
  end
  return nil
end

local function exchange()
  local blob = redis.call('GET', KEYS[1])
  local is_new = not blob
  if blob then L = cmsgpack.unpack(blob) end
  if ask.join then
    if is_new then L = new_books() end
  elseif is_new or L.id ~= ask.books then
    return {status = 'unknown'}
  end
  -- If the clock of Redis steps back, or another server with another clock takes over, go on from
  -- where we were. Only tests bring a time of their own.
  local clock = redis.call('TIME')
  local time = ask.now or clock[1] + clock[2] / 1000000
  if time + L.shift < L.latest then L.shift = L.latest - time end
  now = time + L.shift
  L.latest = now

  advance()
  bury_the_dead()
  advance()
  local process = L.processes[ask.process]
  if process and ask.seq <= process.seq then
    return {status = 'repeated'}
  elseif not process then
    if ask.holds > 0 and not ask.join then return {status = 'unknown'} end
    process = {in_flight = 0, mail = {}, more = {}, address = ask.address}
    L.processes[ask.process] = process
  end
  process.seen, process.seq = now, ask.seq
  local is_same = L.id == ask.books
  local adopted = ask.join and join(process, ask.join, not is_same)
  if ask.ceiling and L.limit > ask.ceiling then L.limit = ask.ceiling end

  for _, ending in ipairs(ask.endings) do
    end_call(process, ending[1], ending[2], ending[3], ending[4])
  end
  if #ask.leaves > 0 then
    local left = {}
    for _, id in ipairs(ask.leaves) do left[id] = true end
    leave_queue(function(want) return want[4] == ask.process and left[want[5]] end)
  end
  for _, want in ipairs(ask.wants) do
    enqueue(ask.process, want[1], want[2], want[3], want[4])
  end
  process.more = ask.more
  for _, more in ipairs(process.more) do more[2] = since_of(ask.process, more[1], more[2]) end
  if ask.goodbye then
    remove(ask.process, function(points) lose(points, now) end)
  end
  serve()

  local grants, waits, ask_in = {}, {}, nil
  if not ask.goodbye then
    local is_granted = {}
    for i, letter in ipairs(process.mail) do
      grants[i] = letter
      is_granted[letter[1]] = true
      process.in_flight = process.in_flight + letter[2]
    end
    process.mail = {}
    for _, q in ipairs(ask.quotes) do
      if not is_granted[q[1]] then
        local ahead, expected = quote(q[2], q[3], q[4], q[5], q[6])
        waits[#waits + 1] = {q[1], ahead, expected}
      end
    end
    ask_in = next_to_ask(process)
  end

  redis.call('SET', KEYS[1], cmsgpack.pack(L), 'PX', ceil(KEPT * period * 1000))
  for address, seconds in pairs(news) do
    -- Not everybody may PUBLISH. Those who wait also ask from time to time.
    redis.pcall('PUBLISH', KEYS[1] .. ':' .. address, string.format('%.6f', seconds))
  end

  local members = 0
  for _ in pairs(L.processes) do members = members + 1 end
  local back = next_return()
  return {
    status = 'ok', books = L.id, grants = grants, waits = waits, adopted = adopted, ask_in = ask_in,
    limit = L.limit, available = available(), in_flight = L.in_flight,
    returning = L.counted + L.lost + L.foreign, waiting = #L.queue, processes = members,
    next_points_in = back and max(0, back - now), paused_for = max(0, L.paused_until - now),
    others_present = L.others_seen ~= nil,
  }
end

return cjson.encode(exchange())
