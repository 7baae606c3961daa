-- What a Lua program usually does: tables, strings, closures, objects, coroutines, errors.
local function section(name) print("== " .. name) end

local state = seed
local function random(n) -- xorshift
  state = state ~ (state << 13) & 0xffffffff
  state = state ~ (state >> 17)
  state = state ~ (state << 5) & 0xffffffff
  return state % n
end

section "integers and floats"
local sum, product = 0, 1.0
for i = 1, 300000 do
  sum = sum + i * i % 7 - i // 3
  product = product * (1 + 1 / i) % 1000
end
print(sum, string.format("%.14g %5.2f", product, product), 7 // -2, 7 % -2, -7.5 // 2)
print(1e15, 2^53, 1 / 3, -0.0, 1e300 * 1e10, 255 // 1 | 0, "0x10" + 0, 10 // 3.0, 3 | 8 ~ 5)
print(math, tostring(1e100), 123456789012345678, 0x7fffffffffffffff + 1)

section "sorting"
local numbers = {}
for i = 1, 60000 do numbers[i] = random(1000000) end
table.sort(numbers)
local ordered = {}
for i = 1, #numbers, 977 do ordered[#ordered + 1] = numbers[i] end
print(table.concat(ordered, " "))
table.sort(numbers, function(a, b) return a % 1000 < b % 1000 or a % 1000 == b % 1000 and a < b end)
print(numbers[1], numbers[30000], numbers[60000])

section "strings"
local words = {}
for i = 1, 20000 do
  words[i] = string.char(97 + random(26), 97 + random(26), 97 + random(26)):rep(1 + random(3))
end
local text = table.concat(words, " ")
local counts, kinds = {}, 0
for word in text:gmatch("%a+") do
  if not counts[word] then kinds = kinds + 1 end
  counts[word] = (counts[word] or 0) + 1
end
print(#text, kinds, text:find("(%a)%1%1"), text:sub(1, 60))
print((text:gsub("(%a)(%a)(%a)", "%3%2%1", 10)):sub(1, 60))
print(text:upper():reverse():sub(-30), text:byte(1, 5))
print(string.format("%q %-10s|%10s|%05d %x %X %o %c %i %%", "a\n\0b\"", "left", "right", 42, 255,
  255, 8, 65, -3))
print(string.pack("<i4 z s1 d", 7, "zero", "counted", 0.5):byte(1, -1))
print(utf8.char(228, 8364, 128512), utf8.len("äöü"), #"äöü")

section "queens"
local function queens(n)
  local solutions, columns, up, down = 0, {}, {}, {}
  local function place(row)
    if row > n then solutions = solutions + 1 return end
    for column = 1, n do
      local a, b = row + column, row - column + n
      if not (columns[column] or up[a] or down[b]) then
        columns[column], up[a], down[b] = true, true, true
        place(row + 1)
        columns[column], up[a], down[b] = nil, nil, nil
      end
    end
  end
  place(1)
  return solutions
end
print(queens(6), queens(8))

section "objects"
local Account = {}
Account.__index = Account
Account.__add = function(a, b) return setmetatable({ balance = a.balance + b.balance }, Account) end
Account.__tostring = function(a) return "account of " .. a.balance end
Account.__eq = function(a, b) return a.balance == b.balance end
Account.__lt = function(a, b) return a.balance < b.balance end
Account.__call = function(a, n) a.balance = a.balance + n return a end
function Account.new(n) return setmetatable({ balance = n }, Account) end
local total = Account.new(0)
for i = 1, 20000 do total = total + Account.new(i)(1) end
print(tostring(total), total == Account.new(5), Account.new(1) < total)

section "coroutines"
local function generate(n)
  return coroutine.wrap(function() for i = 1, n do coroutine.yield(i, i * i) end end)
end
local pairs_seen = 0
for _ = 1, 300 do for i, square in generate(50) do pairs_seen = pairs_seen + square - i end end
print(pairs_seen)

section "errors"
local caught = 0
for i = 1, 5000 do
  local ok, message = pcall(function(x) if x % 3 == 0 then error({ code = x }) end return x.y end, i)
  if not ok then caught = caught + (type(message) == "table" and message.code or #message) end
end
print(caught)
print(pcall(string.rep, "x", -1), pcall(error), select("#", pcall(error, nil)))
print(xpcall(function() local t = nil; return t.field end, function(m) return "handled: " .. m end))
local function deep(n) return 1 + deep(n + 1) end
print((select(2, pcall(deep, 1))):match("stack overflow"))
print(load("return 1 +")) print(load("x = = 2"))

section "garbage"
local weak = setmetatable({}, { __mode = "v" })
local closed = 0
for i = 1, 2000 do
  weak[i] = setmetatable({}, { __gc = function() closed = closed + 1 end })
end
collectgarbage() collectgarbage()
local alive = 0
for _ in pairs(weak) do alive = alive + 1 end
print(closed, alive, collectgarbage("count") < 20000)

section "closures"
local adders = {}
for i = 1, 100 do adders[i] = function(x) i = i + x return i end end
local result = 0
for round = 1, 200 do for i = 1, 100 do result = result + adders[i](round) end end
print(result)
do
  local closing <close> = setmetatable({}, { __close = function() print("closed") end })
  goto done
  print("skipped")
  ::done::
end
