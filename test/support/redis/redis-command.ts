import { Redis } from 'ioredis'

/** An argument of a Redis command. */
export type CommandArgument = string | number | Buffer

/** Which server is asked. */
export interface CommandTarget {
  readonly host: string
  readonly port: number
  readonly password?: string | undefined
}

/**
 * Runs one command over a connection of its own that never reconnects, as redis-cli would.
 *
 * @throws the server's error reply, or the connection's error
 */
export async function runCommand(
  { host, port, password }: CommandTarget,
  name: string,
  ...args: readonly CommandArgument[]
): Promise<unknown> {
  const client = new Redis({
    host,
    port,
    ...(password === undefined ? {} : { password }),
    protocol: 2,
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    disableClientInfo: true,
    connectTimeout: 2000,
    commandTimeout: 20_000,
  })
  let connectionError: Error | undefined
  client.on('error', (error: Error) => {
    connectionError = error
  })
  try {
    await client.connect()
    return await client.call(name, ...args)
  } catch (error) {
    // Of a broken connection the rejection only says "Connection is closed."; the event says why.
    throw error instanceof Error && error.name === 'ReplyError' ? error : (connectionError ?? error)
  } finally {
    client.disconnect()
  }
}
