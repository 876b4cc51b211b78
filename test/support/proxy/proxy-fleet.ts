import { type ProxyTarget, startProxy, type TcpProxy } from './tcp-proxy.ts'

/** A proxy in front of every server of a cluster or a sentinel group. */
export interface ProxyFleet extends AsyncDisposable {
  readonly proxies: readonly TcpProxy[]
  /** The `natMap` option of ioredis: sends a client that follows announced addresses through the proxies. */
  readonly natMap: Readonly<Record<string, { readonly host: string; readonly port: number }>>
  /** What `new Cluster(…)` takes instead of the nodes themselves. */
  readonly startupNodes: readonly { readonly host: string; readonly port: number }[]
  /** @throws Error when there is no proxy in front of this server */
  proxyOf(server: ProxyTarget): TcpProxy
  stop(): Promise<void>
}

/**
 * Puts a proxy in front of each server.
 *
 * @example await using fleet = await startProxies(cluster.nodes);
 *   const client = new Cluster([...fleet.startupNodes], { natMap: fleet.natMap });
 */
export async function startProxies(servers: readonly ProxyTarget[]): Promise<ProxyFleet> {
  const pairs = await Promise.all(
    servers.map(async (server) => ({ server, proxy: await startProxy(server) })),
  )
  const proxies = pairs.map(({ proxy }) => proxy)
  const stop = async (): Promise<void> => {
    await Promise.all(proxies.map((proxy) => proxy.stop()))
  }
  return {
    proxies,
    natMap: Object.fromEntries(
      pairs.map(({ server, proxy }) => [announced(server), address(proxy)]),
    ),
    startupNodes: proxies.map(address),
    proxyOf: ({ port }) => {
      const found = pairs.find(({ server }) => server.port === port)
      if (found === undefined) throw new Error(`No proxy of this fleet leads to port ${port}`)
      return found.proxy
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function announced({ host = '127.0.0.1', port }: ProxyTarget): string {
  return `${host}:${port}`
}

function address({ host, port }: TcpProxy): { readonly host: string; readonly port: number } {
  return { host, port }
}
