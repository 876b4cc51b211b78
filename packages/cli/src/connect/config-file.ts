/** A file of the project that says where Redis is: it exports a manager, or what `redisStore` takes. */

import { existsSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CacheManagerOptions } from '@larder/core'
import { INTERNALS } from '@larder/core/store'
import { CommandFailure } from '../failure.ts'
import type { Connection } from './connection.ts'

const FILES = ['larder.config.mjs', 'larder.config.js']
const ENDINGS = ['.mjs', '.js', '.cjs']
/** Names under which the manager or the options may be exported. */
const EXPORTS = ['default', 'caches', 'manager', 'config']

/** The file in a folder that is used by default, if it is there. */
export function findConfig(folder: string): string | undefined {
  return FILES.map((name) => join(folder, name)).find((path) => existsSync(path))
}

/** @throws CommandFailure when the file cannot be loaded, or exports neither */
export async function readConfig(path: string): Promise<Connection> {
  const name = basename(path)
  if (!ENDINGS.includes(extname(path))) {
    throw new CommandFailure(
      'usage',
      `${name} is not JavaScript.`,
      `Compile it, or write a file that ends in ${ENDINGS.join(' or ')}.`,
    )
  }
  const exported = await load(path, name)
  if (isManager(exported)) return fromManager(exported, name)
  if (typeof exported === 'object' && exported !== null) {
    const { namespace, ...source } = exported as { readonly namespace?: unknown }
    return {
      source,
      namespace: typeof namespace === 'string' ? namespace : undefined,
      origin: name,
    }
  }
  throw new CommandFailure(
    'usage',
    `${name} exports neither a manager nor options.`,
    `Export one of ${EXPORTS.join(', ')}: what createCacheManager returns, or { namespace, url } as redisStore takes it.`,
  )
}

async function load(path: string, name: string): Promise<unknown> {
  if (!existsSync(path)) throw new CommandFailure('usage', `There is no file ${name}.`)
  let module: Record<string, unknown>
  try {
    module = (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (error) {
    throw new CommandFailure('failed', `${name} could not be loaded: ${(error as Error).message}`)
  }
  // What a CommonJS file exports stands under `default`.
  const holders = [module, module['default'] ?? {}] as Record<string, unknown>[]
  const found = EXPORTS.flatMap((key) => holders.map((holder) => holder[key])).find(isSomething)
  const value = found ?? module['default']
  return typeof value === 'function' ? await (value as () => unknown)() : await value
}

function isSomething(value: unknown): boolean {
  if (typeof value === 'function') return true
  if (typeof value !== 'object' || value === null) return false
  // The `default` of a CommonJS file that exports by name is looked into first.
  return !EXPORTS.some((key) => key !== 'default' && key in value)
}

interface Manager {
  readonly namespace: string
  readonly [INTERNALS]: {
    stores(): Pick<CacheManagerOptions, 'remote' | 'locks' | 'limits' | 'sessions'>
    storedValue(key: string, bytes: Uint8Array): Promise<unknown>
  }
  close(): Promise<void>
}

function isManager(value: unknown): value is Manager {
  const internals = (
    value as { readonly [INTERNALS]?: Partial<Manager[typeof INTERNALS]> } | null
  )?.[INTERNALS]
  return typeof internals?.stores === 'function'
}

function fromManager(manager: Manager, name: string): Connection {
  const { remote, locks, limits, sessions } = manager[INTERNALS].stores()
  const close = (): Promise<void> => manager.close()
  if (remote !== undefined && INTERNALS in remote) {
    const others = {
      locks: ofRedis(locks),
      limits: ofRedis(limits),
      sessions: ofRedis(sessions),
    }
    const { storedValue: value } = manager[INTERNALS]
    const { namespace } = manager
    return { source: remote, ...others, namespace, origin: name, value, close }
  }
  const what = remote === undefined ? 'has no remote store' : `keeps entries in ${remote.name}`
  throw new CommandFailure('usage', `The manager of ${name} ${what}; larder looks into Redis only.`)
}

function ofRedis<Provider extends object>(provider: Provider | undefined): Provider | undefined {
  return provider !== undefined && INTERNALS in provider ? provider : undefined
}
