/** How keys and options of a named cache become reads: its policy as it is now, its scope, its tags. */

import { keyErrorAt } from '../errors/key-error.ts'
import { type Key, keyText } from '../keys/key-text.ts'
import { scopePrefix } from '../keys/scope-prefix.ts'
import type { Policy } from '../options/cache-options.ts'
import { besideQueue } from './behind-writes.ts'
import type { CacheParts } from './cache-parts.ts'
import {
  type EntryOptions,
  type LoadOptions,
  resolveEntryOptions,
  resolveLoadOptions,
} from './entry-options.ts'
import type { EntryPlace } from './entry-rules.ts'
import {
  type Loader,
  nothingToLoad,
  ReadCall,
  type ReadRules,
  ReadSite,
  withPolicyTags,
} from './read-call.ts'

export class CacheCalls {
  /** How messages name the cache. */
  readonly where: string
  readonly #place: EntryPlace
  readonly #own: CacheParts
  readonly #follow: ((policy: Policy) => Policy) | undefined
  #current: CacheParts
  #site: ReadSite

  /** `follow` says, at each use, what became of a policy that nobody named. */
  constructor(parts: CacheParts, follow: ((policy: Policy) => Policy) | undefined) {
    const where = `cache(${parts.name})`
    const { secondsMeant } = parts.node
    const onTtl = secondsMeant?.look.bind(secondsMeant, parts.name)
    this.where = where
    this.#place = { where, onTtl }
    this.#own = parts
    this.#follow = follow
    this.#current = parts
    this.#site = siteOf(parts)
  }

  /** The parts, with the policy that holds now. */
  get parts(): CacheParts {
    const policy = this.#follow?.(this.#own.policy) ?? this.#own.policy
    if (!isSamePolicy(policy, this.#current.policy)) {
      this.#current = { ...this.#own, policy }
      this.#site = siteOf(this.#current)
    }
    return this.#current
  }

  /** What full keys begin with, in the scope that holds now. */
  get prefix(): string {
    return `${this.#own.name}:${scopePrefix(this.parts.policy.scope, this.where)}`
  }

  /** Returns the full key. @throws KeyError */
  key(key: Key): string {
    const { prefix } = this
    try {
      return prefix + keyText(key)
    } catch (error) {
      throw keyErrorAt(error, this.where)
    }
  }

  /** A call that does not load. @throws InvalidOptionError, KeyError */
  of<Value>(key: Key, options: EntryOptions<Value> = {}): ReadCall {
    return this.#make(key, nothingToLoad, resolveEntryOptions(options as EntryOptions, this.#place))
  }

  /** A call that may load. @throws InvalidOptionError, KeyError */
  loading<Value>(key: Key, loader: Loader, options: LoadOptions<Value>): ReadCall {
    const rules = resolveLoadOptions(options as LoadOptions, this.#place)
    const call = this.#make(key, loader, rules)
    return call.policy.behind === undefined ? call : besideQueue(this.#own.node, call)
  }

  /** The same of several, which load together. Options are checked once, also where there are no keys. */
  loadingAll<Value>(keys: readonly Key[], options: LoadOptions<Value>): readonly ReadCall[] {
    const rules = resolveLoadOptions(options as LoadOptions, this.#place)
    return keys.map((key) => this.#make(key, nothingToLoad, rules))
  }

  /** Checks options that are the same for many entries, before the first of them. @throws InvalidOptionError */
  assertEntryOptions<Value>(options: EntryOptions<Value>): void {
    resolveEntryOptions(options as EntryOptions, this.#place)
  }

  /** A look at an entry by its full key. */
  at(fullKey: string): ReadCall {
    const { node } = this.parts
    const rules = resolveEntryOptions({}, this.#place)
    return new ReadCall(this.#site, node.addressOf(fullKey), nothingToLoad, rules)
  }

  #make(key: Key, loader: Loader, own: ReadRules): ReadCall {
    // Before the site is looked at: asking for the parts brings it up to date.
    const { node, policy } = this.parts
    const rules = withPolicyTags(own, policy, this.where)
    return new ReadCall(this.#site, node.addressOf(this.key(key)), loader, rules)
  }
}

function siteOf({ name, cacheTag, policy, node }: CacheParts): ReadSite {
  return new ReadSite(name, cacheTag, policy, node.stats.of(name))
}

/** Compares what can change under a cache that follows others. */
function isSamePolicy(one: Policy, other: Policy): boolean {
  if (one === other) return true
  const names = Object.keys(one) as (keyof Policy)[]
  return names.every((name) => one[name] === other[name])
}
