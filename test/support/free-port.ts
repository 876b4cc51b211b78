import { createServer } from 'node:net'

/** A Redis Cluster node listens for its peers this far above its client port. */
export const BUS_PORT_OFFSET = 10_000

// Both the port and its bus port stay below 32768, where operating systems start to hand out ports to
// outgoing connections: a server that is down for a moment finds its port still free when it comes back.
const FIRST_PORT = 10_000
const PORT_COUNT = 12_000

/**
 * Finds a port that is free on the loopback address, together with the port a Cluster node would use for its bus.
 * Another process may still take it first: whoever binds it has to be ready to try another.
 *
 * @throws Error when a hundred tries found none
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORT_COUNT)
    if ((await isFree(port)) && (await isFree(port + BUS_PORT_OFFSET))) return port
  }
  throw new Error(
    `No free port among ${FIRST_PORT}–${FIRST_PORT + PORT_COUNT - 1} in a hundred tries`,
  )
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      probe.close(() => resolve(true)),
    )
  })
}
