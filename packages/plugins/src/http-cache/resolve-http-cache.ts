/** Checks the options of the cache for responses. */

import { type CacheManager, InvalidOptionError } from '@larder/core'
import {
  assertBoolean,
  assertFunction,
  assertKnownOptions,
  assertTags,
  assertText,
  INTERNALS,
  optionNames,
  parseDuration,
  parseSize,
} from '@larder/core/store'
import { CONDITIONAL_FIELDS } from './conditional.ts'
import type { HttpCacheOptions, UncachedResponse } from './http-cache-options.ts'
import type { RouteWindows } from './lifetime.ts'

export interface ResolvedHttpCache<Request> {
  readonly caches: CacheManager
  readonly cache: string
  readonly windows: RouteWindows
  readonly revalidateMs: number
  /** In lower case, sorted. */
  readonly vary: readonly string[]
  readonly query: ReadonlySet<string>
  readonly cookies: readonly string[]
  readonly pass: readonly string[]
  readonly tagsOf: (request: Request) => readonly string[]
  readonly maxBody: number
  readonly cacheStatus: boolean
  readonly advertiseTags: boolean
  readonly authorized: boolean
  readonly honourRequest: boolean
  readonly ignoreSetCookie: ReadonlySet<string>
  /** The first one is this cache's own. */
  readonly targets: readonly string[]
  readonly skip: ((request: Request) => boolean) | undefined
  readonly onUncached: (response: UncachedResponse) => void
}

/** The defaults. */
export const HTTP_CACHE_DEFAULTS = {
  cache: 'http',
  staleWhileRevalidate: 0,
  staleIfError: 0,
  revalidate: 0,
  vary: [],
  query: [],
  cookies: [],
  pass: [],
  tags: [],
  maxBody: '1mb',
  cacheStatus: true,
  advertiseTags: false,
  authorized: false,
  honourRequest: false,
  ignoreSetCookie: [],
  targets: ['Larder-Cache-Control', 'CDN-Cache-Control'],
} as const

export const HTTP_CACHE_NAMES = optionNames<HttpCacheOptions<unknown>>({
  caches: true,
  cache: true,
  ttl: true,
  staleWhileRevalidate: true,
  staleIfError: true,
  revalidate: true,
  vary: true,
  query: true,
  cookies: true,
  pass: true,
  tags: true,
  maxBody: true,
  cacheStatus: true,
  advertiseTags: true,
  authorized: true,
  honourRequest: true,
  ignoreSetCookie: true,
  targets: true,
  skip: true,
  onUncached: true,
})

const MB = 1_048_576
/** The largest body that may be kept. */
export const MOST_BODY = 16 * MB
const MOST_NAMES = 32
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Fields by which responses cannot be told apart: they are answered here, or belong to the connection, or to one user. */
const NOT_FOR_VARY: ReadonlySet<string> = new Set([
  ...CONDITIONAL_FIELDS,
  'authorization',
  'cache-control',
  'connection',
  'cookie',
  'pragma',
])
const NOT_FOR_PASS: ReadonlySet<string> = new Set([
  ...CONDITIONAL_FIELDS,
  'authorization',
  'cookie',
])

/** @throws InvalidOptionError */
export function resolveHttpCache<Request>(
  options: HttpCacheOptions<Request>,
  where: string,
): ResolvedHttpCache<Request> {
  assertKnownOptions(options, HTTP_CACHE_NAMES, where)
  const said: HttpCacheOptions<Request> = {
    ...HTTP_CACHE_DEFAULTS,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    caches: options.caches,
  }
  assertManager(said.caches, `${where}.caches`)
  assertText(said.cache, `${where}.cache`)
  for (const name of ['cacheStatus', 'advertiseTags', 'authorized', 'honourRequest'] as const)
    assertBoolean(said[name], `${where}.${name}`)
  for (const name of ['skip', 'onUncached'] as const)
    if (said[name] !== undefined) assertFunction(said[name], `${where}.${name}`)
  const { tags, onUncached, ttl } = said
  if (typeof tags !== 'function') assertTags(tags, `${where}.tags`)
  const fixed = typeof tags === 'function' ? undefined : [...(tags ?? [])]
  return {
    caches: said.caches,
    cache: said.cache as string,
    windows: {
      ttlMs: ttl === undefined ? undefined : parseDuration(ttl, `${where}.ttl`, { min: 1 }),
      staleWhileRevalidateMs: parseDuration(
        said.staleWhileRevalidate ?? 0,
        `${where}.staleWhileRevalidate`,
      ),
      staleIfErrorMs: parseDuration(said.staleIfError ?? 0, `${where}.staleIfError`),
    },
    revalidateMs: parseDuration(said.revalidate ?? 0, `${where}.revalidate`),
    vary: fieldNames(said.vary, `${where}.vary`, NOT_FOR_VARY).toSorted(),
    query: new Set(names(said.query, `${where}.query`)),
    cookies: cookieNames(said.cookies, `${where}.cookies`),
    pass: fieldNames(said.pass, `${where}.pass`, NOT_FOR_PASS),
    tagsOf: typeof tags === 'function' ? tags : () => fixed ?? [],
    maxBody: bodySize(said.maxBody, `${where}.maxBody`),
    cacheStatus: said.cacheStatus === true,
    advertiseTags: said.advertiseTags === true,
    authorized: said.authorized === true,
    honourRequest: said.honourRequest === true,
    ignoreSetCookie: new Set(cookieNames(said.ignoreSetCookie, `${where}.ignoreSetCookie`)),
    targets: fieldNames(said.targets, `${where}.targets`, new Set(['cache-control'])),
    skip: said.skip,
    onUncached: reporter(onUncached),
  }
}

export function assertManager(caches: unknown, option: string): asserts caches is CacheManager {
  if (typeof (caches as Partial<CacheManager> | undefined)?.[INTERNALS] === 'object') return
  const expected = 'a manager of createCacheManager'
  throw new InvalidOptionError({ option, expected, received: caches })
}

function names(value: unknown, option: string): readonly string[] {
  if (!Array.isArray(value) || value.length > MOST_NAMES) {
    const expected = `an array of at most ${MOST_NAMES} names`
    throw new InvalidOptionError({ option, expected, received: value })
  }
  for (const [i, name] of value.entries()) assertText(name, `${option}[${i}]`)
  return [...(value as string[])]
}

function fieldNames(
  value: unknown,
  option: string,
  refused: ReadonlySet<string>,
): readonly string[] {
  return names(value, option).map((name, i) => {
    const lower = name.toLowerCase()
    if (TOKEN.test(name) && name !== '*' && !refused.has(lower)) return lower
    const expected = refused.has(lower)
      ? 'names of fields, and this one cannot be among them'
      : 'names of fields'
    throw new InvalidOptionError({ option: `${option}[${i}]`, expected, received: name })
  })
}

function cookieNames(value: unknown, option: string): readonly string[] {
  const list = names(value, option)
  for (const [i, name] of list.entries()) {
    if (TOKEN.test(name)) continue
    const expected = 'names of cookies'
    throw new InvalidOptionError({ option: `${option}[${i}]`, expected, received: name })
  }
  return list.toSorted()
}

function bodySize(value: unknown, option: string): number {
  const bytes = parseSize(value as never, option)
  if (bytes <= MOST_BODY) return bytes
  throw new InvalidOptionError({ option, expected: 'at most 16 MB', received: value })
}

function reporter(
  onUncached: HttpCacheOptions<never>['onUncached'],
): (response: UncachedResponse) => void {
  return (response) => {
    try {
      onUncached?.(response)
    } catch {
      // A listener cannot change what happens.
    }
  }
}
