/** Binds a decorated method to the cache of the class on which it is called: which cache, and how its keys look. */

import { createHash } from 'node:crypto'
import type { EntryPlace } from '../../cache/entry-rules.ts'
import { INTERNALS } from '../../contracts/internals.ts'
import { InvalidOptionError } from '../../errors/option-error.ts'
import type { KeyFrame } from '../../keys/key-frame.ts'
import { CACHE_OPTION_NAMES, type CacheOptions } from '../../options/cache-options.ts'
import type { KeyKind, KeySource } from '../reading/key-source.ts'
import type { ResultRules } from '../reading/storing-options.ts'
import { type BoundMethod, MethodBinder, reserveName } from './bound-method.ts'
import type { MethodCache } from './method-cache.ts'
import { cacheNameOf, type MethodSite, nameOf } from './method-site.ts'
import { FRAGILE, isFragile } from './names.ts'
import { assertOneEntity } from './one-entity.ts'
import { decorationsOf } from './operations.ts'
import { noteReader } from './read-names.ts'
import type { Receiver } from './receiver.ts'
import { ReservedNames } from './reserved-names.ts'

/** Which name of a cache a method needs. */
export type Naming =
  /** The method may have a cache of its own, named after it. */
  | 'own'
  /** The method works on entries of other methods, so it must name their cache. */
  | 'required'
  /** The method works on tags only, which reach every cache of the namespace. */
  | 'unneeded'

export interface BindingParts {
  /** `@Cacheable` and so on. */
  readonly decorator: string
  readonly site: MethodSite
  readonly cacheName: string | undefined
  readonly policy: CacheOptions
  readonly naming: Naming
  /** Makes the rules of the method's calls. @default they say nothing */
  readonly rulesAt?: ((place: EntryPlace) => ResultRules) | undefined
  /** Makes the key source; the frame completes a default key. */
  readonly keyWith: (frame?: KeyFrame) => KeySource
  /** Whether classes that inherit the method share its entries. @default what `@CacheConfig` says */
  readonly shares?: boolean | undefined
  /** What keys are made of, where entries are kept under them. */
  readonly keyKind?: KeyKind | undefined
}

/** A method of one class, bound to its cache. */
export interface BoundCache extends BoundMethod, ResultRules {
  readonly cache: MethodCache
  readonly cacheName: string
  readonly key: KeySource
}

/** Makes the binder of a method that works on a cache. */
export function cacheBinder(parts: BindingParts): MethodBinder<BoundCache> {
  const { decorator, site, shares } = parts
  return new MethodBinder({ decorator, site, shares, tie: (method) => tied(parts, method) })
}

function tied(parts: BindingParts, method: BoundMethod): BoundCache {
  const { decorator, policy, keyWith, naming } = parts
  const { receiver, where } = method
  const { label, config } = receiver
  if (naming === 'own') {
    const decorations = receiver.classes.flatMap(decorationsOf).toReversed()
    assertOneEntity(decorations, config, nameOf(receiver.named))
  }
  const cacheName = cacheNameFor(parts, method)
  const { cache: _, manager: __, shareWithSubclasses: ___, ...classPolicy } = config
  const evicts = decorator === '@CacheEvict' ? { onlyEvicts: true } : {}
  const isForOthers = naming === 'required' ? { isForOthers: true } : {}
  if (naming === 'own') noteReader(cacheName)
  const key = keyWith(frameOf(parts, receiver))
  const cache = method.provider[INTERNALS].methodCache({
    method: label,
    cacheName,
    options: merged(classPolicy, policy),
    where,
    frame: naming === 'own' ? key.frame : undefined,
    ...evicts,
    ...isForOthers,
  })
  const rules = (parts.rulesAt ?? noRules)({ where, onTtl: cache.onTtl })
  return { ...method, cache, cacheName, key, ...rules }
}

const noRules = (): ResultRules => ({ rules: (_self, _args, mode) => ({ mode, tags: [] }) })

/**
 * Completes a default key. In a named cache, which several methods may share, it contains the name of the method whose arguments
 * it is made of, in a shape that no key function can return: otherwise a user who chooses an id could read another method's entries.
 */
function frameOf({ cacheName }: BindingParts, { label, config }: Receiver): KeyFrame | undefined {
  if ((cacheName ?? config.cache) === undefined) return undefined
  // The end of a short form (see key-text.ts): a key function that returns this shape gets another digest.
  const suffix = `#${digestOf(`default key of ${label}`)}`
  return { before: `${label}:`, after: suffix }
}

function cacheNameFor(parts: BindingParts, method: BoundMethod): string {
  const { naming, policy } = parts
  const { receiver, provider, where } = method
  const { config, label } = receiver
  const isShared = provider.isShared === true && (policy.remote ?? config.remote) !== false
  const isFragileHere = isShared && isFragile(label)
  const given = parts.cacheName ?? config.cache
  if (given !== undefined) {
    assertShareable(parts, method, { name: given, isFragileHere })
    return given
  }
  const option = `${where}.cache`
  const refusal = (expected: string): InvalidOptionError =>
    new InvalidOptionError({ option, expected, received: undefined })
  if (naming === 'required') {
    throw refusal('the name of the cache whose entries are meant, here or in @CacheConfig')
  }
  const own = cacheNameOf(label)
  if (naming !== 'own') return own
  if (isFragileHere && !label.startsWith('.')) {
    throw refusal(`${A_NAME}, because the name of the class ${FRAGILE}`)
  }
  reserveName(method, { name: `cache ${own}`, option, expected: A_NAME })
  return own
}

/** @throws InvalidOptionError when keys of a named cache could belong to entries of another class */
function assertShareable(
  { keyKind, shares }: BindingParts,
  { site, receiver, provider, where }: BoundMethod,
  { name, isFragileHere }: { readonly name: string; readonly isFragileHere: boolean },
): void {
  if (isFragileHere && keyKind === 'default') {
    throw new InvalidOptionError({
      option: `${where}.key`,
      expected: `a key, because the default one contains the name of the class, which ${FRAGILE}`,
      received: undefined,
    })
  }
  if (keyKind !== 'arguments' || (shares ?? receiver.config.shareWithSubclasses) === true) return
  const other = ReservedNames.on(provider).reserveEntries(name, { site, receiver })
  if (other === undefined) return
  const expected = meeting(name, other.name, receiver.named.name)
  throw new InvalidOptionError({ option: `${where}.cache`, expected, received: name })
}

const A_NAME = 'a cache name, here or in @CacheConfig'

function meeting(cacheName: string, one: string, other: string): string {
  return (
    `entries of one class, but ${one} and ${other} both inherit methods that keep theirs in ${cacheName} under keys made of ` +
    `the arguments alone: give each class its own @CacheConfig({ cache }), use something of this in the key, or set ` +
    `shareWithSubclasses: true if the entries are the same`
  )
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function merged(...layers: readonly CacheOptions[]): CacheOptions {
  const options: Record<string, unknown> = {}
  for (const layer of layers) {
    for (const name of CACHE_OPTION_NAMES) {
      if (layer[name] !== undefined) options[name] = layer[name]
    }
  }
  return options
}
