/** A TCP proxy in front of a server, whose faults can be switched while it runs. */

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface TcpProxy extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Resets every connection; new ones are accepted. */
  cut(): void
  /** Refuses new connections while true. */
  refuse(on: boolean): void
  /** Swallows what flows in a direction while true; connections stay open. */
  blackhole(on: boolean, direction?: 'both' | 'to-server' | 'to-client'): void
  /** Drops chunks to the client that contain this text (a lost message on a healthy connection). `undefined` for none. */
  loseChunksWith(text: string | undefined): void
  /** Chunks from clients since the last reset, over all connections. */
  roundTrips(): number
  resetCounters(): void
  stop(): Promise<void>
}

/** Starts a proxy to a port on this machine. */
export async function startProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let isRefusing = false
  const swallows = { toServer: false, toClient: false }
  let losing: string | undefined
  let sent = 0

  const server = createServer((client) => {
    if (isRefusing) {
      client.destroy()
      return
    }
    const upstream = connect(targetPort, '127.0.0.1')
    const pair = [client, upstream] as const
    pairs.add(pair)
    const end = (): void => {
      pairs.delete(pair)
      client.destroy()
      upstream.destroy()
    }
    for (const socket of pair) {
      socket.setNoDelay(true)
      socket.on('error', end)
      socket.on('close', end)
    }
    client.on('data', (chunk: Buffer) => {
      sent += 1
      if (!swallows.toServer) upstream.write(chunk)
    })
    upstream.on('data', (chunk: Buffer) => {
      const isLost = losing !== undefined && chunk.includes(losing)
      if (!swallows.toClient && !isLost) client.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('The proxy has no port')

  const cut = (): void => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy()
      upstream.destroy()
    }
  }
  const stop = async (): Promise<void> => {
    cut()
    server.close()
    await once(server, 'close')
  }
  return {
    port: address.port,
    url: `redis://127.0.0.1:${address.port}`,
    cut,
    refuse: (on) => {
      isRefusing = on
    },
    blackhole: (on, direction = 'both') => {
      if (direction !== 'to-client') swallows.toServer = on
      if (direction !== 'to-server') swallows.toClient = on
    },
    loseChunksWith: (text) => {
      losing = text
    },
    roundTrips: () => sent,
    resetCounters: () => {
      sent = 0
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
