local function wake(channel, key)
  redis.call('PUBLISH', channel, 'w' .. cmsgpack.pack({ key }))
end
