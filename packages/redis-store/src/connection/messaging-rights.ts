/** The commands that event stores and topics use, for `rights.ts`. */

export const MESSAGING_COMMANDS = {
  eventStore: [
    'eval',
    'evalsha',
    'exists',
    'get',
    'hmget',
    'hset',
    'ping',
    'set',
    'time',
    'xadd',
    'xinfo',
    'xrange',
    'xrevrange',
    'zrem',
  ],
  topics: ['ping', 'publish', 'zrem'],
} as const
