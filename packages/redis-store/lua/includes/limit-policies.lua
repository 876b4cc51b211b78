-- An object for each policy of a rule. Nothing when the calendar's edges do not reach to now: it cannot be read then.
local function algorithms_of(policies)
  local makers = {
    exact = function(policy) return exact_algorithm(policy.limit, policy.window) end,
    window = function(policy) return window_algorithm(policy.limit, policy.slice, policy.slices) end,
    smooth = function(policy) return smooth_algorithm(policy.interval, policy.burst, policy.window) end,
    fixed = function(policy) return fixed_algorithm(policy.limit, policy.window) end,
    calendar = function(policy) return fixed_algorithm(policy.limit, nil, policy.edges) end,
    concurrency = function(policy) return concurrency_algorithm(policy.limit, policy.term) end
  }
  local algorithms = {}
  for i = 1, #policies do
    local edges = policies[i].edges
    if edges and (now < edges[1] or now >= edges[#edges - 1]) then return nil end
    algorithms[i] = makers[policies[i].algorithm](policies[i])
  end
  return algorithms
end
