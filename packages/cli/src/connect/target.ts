/**
 * Finds out where Redis is and which namespace is meant: from flags, else from the environment, else from a file of the project.
 *
 * Passwords come from a URL in the environment or from the file. They are never printed, and not asked for.
 */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { RedisStoreOptions } from '@larder/redis-store'
import type { CallOptions } from '../arguments.ts'
import { CommandFailure } from '../failure.ts'
import type { Shell } from '../shell.ts'
import { findConfig, readConfig } from './config-file.ts'
import type { Connection } from './connection.ts'

/** @throws CommandFailure when nothing says where Redis is */
export async function connectionFor(options: CallOptions, shell: Shell): Promise<Connection> {
  const { env, cwd } = shell
  const namespace = options.text('namespace') ?? nonEmpty(env['LARDER_NAMESPACE'])
  const url = options.text('url')
  if (url !== undefined) return fromUrls(url, options, { namespace, origin: '--url', cwd })
  const file = options.text('config') ?? nonEmpty(env['LARDER_CONFIG'])
  if (file !== undefined) return withNamespace(await readConfig(resolve(cwd, file)), namespace)
  for (const name of ['LARDER_URL', 'REDIS_URL']) {
    const said = nonEmpty(env[name])
    if (said !== undefined) return fromUrls(said, options, { namespace, origin: name, cwd })
  }
  const found = findConfig(cwd)
  if (found !== undefined) return withNamespace(await readConfig(found), namespace)
  throw new CommandFailure(
    'usage',
    'Nothing says where Redis is.',
    'Set LARDER_URL or REDIS_URL, or name a file with --config, or give --url.',
  )
}

function withNamespace(connection: Connection, namespace: string | undefined): Connection {
  return { ...connection, namespace: namespace ?? connection.namespace }
}

interface Origin {
  readonly namespace: string | undefined
  readonly origin: string
  readonly cwd: string
}

function fromUrls(
  text: string,
  options: CallOptions,
  { namespace, origin, cwd }: Origin,
): Connection {
  const urls = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const tls = tlsOf(options, cwd)
  if ('tls' in tls && !urls.every((url) => url.startsWith('rediss://'))) {
    throw new CommandFailure('usage', '--ca is for rediss:// only, and this URL is another one.')
  }
  return { source: sourceOf(urls, options, tls), namespace, origin }
}

function sourceOf(urls: readonly string[], options: CallOptions, tls: object): RedisStoreOptions {
  const sentinel = options.text('sentinel')
  const [first = ''] = urls
  if (options.has('cluster') && sentinel !== undefined) {
    throw new CommandFailure('usage', '--cluster and --sentinel exclude each other.')
  }
  if (options.has('cluster')) {
    // The nodes that are found later have the same user and password as the first one.
    return { cluster: urls.map(placeOf), options: { ...loginOf(first), ...tls } }
  }
  if (sentinel !== undefined) {
    const { db } = databaseOf(first)
    const common = { sentinels: urls.map(placeOf), name: sentinel, ...loginOf(first), ...db }
    return { options: { ...common, ...sentinelTls({ ...loginOf(first), ...tls }) } }
  }
  if (urls.length > 1) {
    throw new CommandFailure('usage', 'Several URLs need --cluster or --sentinel.')
  }
  return { url: first, options: tls }
}

/** Never repeats the URL, which may hold a password. @throws CommandFailure */
function parsedUrl(url: string): URL {
  if (/^rediss?:\/\//.test(url) && URL.canParse(url)) return new URL(url)
  throw new CommandFailure('usage', 'A URL of Redis begins with redis:// or rediss://.')
}

const DEFAULT_PORT = 6379

function placeOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = parsedUrl(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || DEFAULT_PORT) }
}

function loginOf(url: string): object {
  const { username, password, protocol } = parsedUrl(url)
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  }
}

/** ioredis has three options for it: for the servers, whether to use it behind Sentinel at all, and for the sentinels. */
function sentinelTls({ tls }: { readonly tls?: object }): object {
  return tls === undefined ? {} : { tls, enableTLSForSentinelMode: true, sentinelTLS: tls }
}

function databaseOf(url: string): { readonly db: object } {
  const path = parsedUrl(url).pathname.slice(1)
  return { db: path === '' ? {} : { db: Number(path) } }
}

/** @throws CommandFailure when the file cannot be read */
function tlsOf(options: CallOptions, cwd: string): object {
  const file = options.text('ca')
  if (file === undefined) return {}
  try {
    return { tls: { ca: readFileSync(resolve(cwd, file)) } }
  } catch (error) {
    throw new CommandFailure(
      'usage',
      `The file of --ca cannot be read: ${(error as Error).message}.`,
    )
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text
}
