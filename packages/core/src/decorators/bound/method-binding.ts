/** Ties a decorated method to the cache of the class it is called on, at the first call, and anew when the manager changes. */

import { createHash } from 'node:crypto'
import { INTERNALS } from '../../contracts/internals.ts'
import { ClosedError } from '../../errors/closed-error.ts'
import { NotConfiguredError } from '../../errors/not-configured-error.ts'
import { InvalidOptionError } from '../../errors/option-error.ts'
import { isManagerElsewhere } from '../../lifecycle/shared-state.ts'
import { CACHE_OPTION_NAMES, type CacheOptions } from '../../options/cache-options.ts'
import type { KeyFrame, KeyKind, KeySource } from '../reading/key-source.ts'
import { currentCallScope } from './call-scope.ts'
import { Claims } from './claims.ts'
import { defaultManager } from './default-manager.ts'
import type { MethodCache, MethodCacheProvider } from './method-cache.ts'
import { cacheNameOf, type MethodSite, nameOf } from './method-site.ts'
import { isFragile, sayRenewed } from './names.ts'
import { assertOneEntity } from './one-entity.ts'
import { decorationsOf } from './operations.ts'
import { noteReader } from './read-names.ts'
import { ByReceiver, type Receiver, receiverOf, startOf } from './receiver.ts'

/** Who needs a cache of which name. */
export type Naming =
  /** The method may have a cache of its own, named after it. */
  | 'own'
  /** The method works on entries of others, so it has to say whose. */
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
  /** Makes the key source; the frame completes a default key. */
  readonly keyWith: (frame?: KeyFrame) => KeySource
  /** Whether classes that inherit the method share its entries. @default what `@CacheConfig` says */
  readonly shares?: boolean | undefined
  /** What keys are made of, where entries are kept under them. */
  readonly keyKind?: KeyKind | undefined
}

/** A method of one class, tied to its cache. */
export interface BoundMethod {
  /** What the calls it is for have in common; see `startOf`. */
  readonly start: unknown
  readonly cache: MethodCache
  readonly cacheName: string
  readonly key: KeySource
  readonly provider: MethodCacheProvider
  readonly findProvider: () => MethodCacheProvider | undefined
  /** `Class.method`. */
  readonly label: string
  /** How messages name the method. */
  readonly where: string
}

/** What is known of a class before there is a manager, and what it is tied to since. */
interface Tie {
  readonly receiver: Receiver
  bound: BoundMethod | undefined
}

export class MethodBinding {
  readonly #parts: BindingParts
  readonly #isStatic: boolean
  readonly #ties: ByReceiver<Tie>
  /** That of the last call: most methods are called on one class. */
  #last: BoundMethod | undefined

  constructor(parts: BindingParts) {
    const { site, shares } = parts
    this.#parts = parts
    this.#isStatic = site.isStatic
    this.#ties = new ByReceiver(site, (self) => ({
      receiver: receiverOf(site, self, shares),
      bound: undefined,
    }))
  }

  /** How messages name the method where its class is not known yet. */
  get where(): string {
    return `${this.#parts.decorator}(${this.#parts.site.label})`
  }

  /**
   * What the last call was bound to, if this one is on the same class, the manager is still in charge, and no scope says
   * otherwise: all that the local-hit path needs to know.
   */
  quick(self: unknown): BoundMethod | undefined {
    const last = this.#last
    if (last === undefined || last.start !== startOf(self, this.#isStatic)) return undefined
    if (currentCallScope() !== undefined || last.findProvider() !== last.provider) return undefined
    return last
  }

  /**
   * Returns the cache for a call on `self`, binding if need be.
   *
   * @throws NotConfiguredError without a manager; ClosedError after it was closed; InvalidOptionError when the cache has
   *   to be named.
   */
  bind(self: unknown): BoundMethod {
    const tie = this.#ties.of(self)
    const { config, label } = tie.receiver
    const findProvider = config.manager ?? defaultManager
    const provider = findProvider()
    if (provider === undefined) {
      throw tie.bound?.provider.isClosed === true
        ? new ClosedError(undefined, label)
        : new NotConfiguredError(label, isManagerElsewhere())
    }
    if (tie.bound?.provider !== provider) {
      tie.bound = this.#tied(tie.receiver, provider, findProvider, startOf(self, this.#isStatic))
    }
    this.#last = tie.bound
    return tie.bound
  }

  #tied(
    receiver: Receiver,
    provider: MethodCacheProvider,
    findProvider: BoundMethod['findProvider'],
    start: unknown,
  ): BoundMethod {
    const { decorator, policy, keyWith, naming } = this.#parts
    const { label, config } = receiver
    const where = `${decorator}(${label})`
    if (naming === 'own') {
      const decorations = receiver.classes.flatMap(decorationsOf).toReversed()
      assertOneEntity(decorations, config, nameOf(receiver.named))
    }
    const cacheName = this.#cacheName(receiver, provider, where)
    const { cache: _, manager: __, shareWithSubclasses: ___, ...classPolicy } = config
    const options = merged(classPolicy, policy)
    const evicts = decorator === '@CacheEvict' ? { onlyEvicts: true } : {}
    const isForOthers = naming === 'required' ? { isForOthers: true } : {}
    if (naming === 'own') noteReader(cacheName)
    const cache = provider[INTERNALS].methodCache({
      method: label,
      cacheName,
      options,
      where,
      ...evicts,
      ...isForOthers,
    })
    const key = keyWith(this.#frame(receiver))
    return { start, cache, cacheName, key, provider, findProvider, label, where }
  }

  /**
   * Completes a default key. In a named cache, which the method may share, it says which method's arguments it is made of,
   * in a shape that no key function can write: else whoever chooses an id could read another method's entries.
   */
  #frame({ label, config }: Receiver): KeyFrame | undefined {
    if ((this.#parts.cacheName ?? config.cache) === undefined) return undefined
    // The end of a short form (see key-digest.ts): a key function that returns this shape gets a digest of its own.
    const suffix = `#${digestOf(`default key of ${label}`)}`
    return (text) => `${label}:${text}${suffix}`
  }

  #cacheName(receiver: Receiver, provider: MethodCacheProvider, where: string): string {
    const { site, naming, keyKind, shares, policy } = this.#parts
    const given = this.#parts.cacheName ?? receiver.config.cache
    const refuse = (expected: string): InvalidOptionError =>
      new InvalidOptionError({ option: `${where}.cache`, expected, received: given })
    const isShared =
      provider.isShared === true && (policy.remote ?? receiver.config.remote) !== false
    const isFragileHere = isShared && isFragile(receiver.label)
    if (given !== undefined) {
      if (isFragileHere && keyKind === 'default') {
        throw new InvalidOptionError({
          option: `${where}.key`,
          expected: `a key, because the default one has the name of the class in it, which ${FRAGILE}`,
          received: undefined,
        })
      }
      if (keyKind === 'arguments' && (shares ?? receiver.config.shareWithSubclasses) !== true) {
        const other = Claims.on(provider).claimEntries(given, { site, receiver })
        if (other !== undefined) throw refuse(meeting(given, other.name, receiver.named.name))
      }
      return given
    }
    if (naming === 'required') {
      throw refuse('the name of the cache whose entries are meant, here or in @CacheConfig')
    }
    const own = cacheNameOf(receiver.label)
    if (naming !== 'own') return own
    if (isFragileHere && !receiver.label.startsWith('.')) {
      throw refuse(
        `a cache name, here or in @CacheConfig, because the name of the class ${FRAGILE}`,
      )
    }
    this.#claimName(own, receiver, provider, refuse)
    return own
  }

  #claimName(
    name: string,
    receiver: Receiver,
    provider: MethodCacheProvider,
    refuse: (expected: string) => InvalidOptionError,
  ): void {
    const { site } = this.#parts
    switch (Claims.on(provider).claimName(`cache ${name}`, { site, receiver })) {
      case 'nameless':
        throw refuse('a cache name, here or in @CacheConfig, because the class has no name')
      case 'refused':
        throw refuse(
          'a cache name, here or in @CacheConfig, because another class of this name has a method of this name (if this is the same class, its file was evaluated twice under two names: hot reload, or a second copy)',
        )
      case 'renewed':
        sayRenewed(receiver)
        break
      default:
    }
  }
}

const FRAGILE = 'may be a minifier’s, who gives it to another class in the next build'

function meeting(cacheName: string, one: string, other: string): string {
  return (
    `entries of one class, but ${one} and ${other} both inherit methods that keep theirs in ${cacheName} under keys made of ` +
    `the arguments alone: give each class a @CacheConfig({ cache }) of its own, put something of this into the key, or say ` +
    `shareWithSubclasses: true if they are the same entries`
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
