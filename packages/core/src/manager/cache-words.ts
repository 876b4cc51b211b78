/**
 * The options that all users of one cache have to agree on.
 *
 * `version`, `isolation`, `local`, `remote`, `scope` and `behind` say what an entry is and where it lies; a local hit does not look at them again.
 * If two callers gave different values for one cache, version 2 would get entries of version 1. So they are set once: a later caller
 * with other values is refused. Everything else (`ttl`, tags, timeouts) may differ from method to method. A caller that gives no
 * options (`caches.cache(name)`) uses the cache as the others have it.
 */

import { InvalidOptionError } from '../errors/option-error.ts'
import type { Policy } from '../options/cache-options.ts'

/** Options by their names in a policy. */
const WORDS = {
  version: 'schema',
  isolation: 'isolation',
  local: 'local',
  remote: 'remote',
  scope: 'scope',
  behind: 'behind',
} as const satisfies Readonly<Record<string, keyof Policy>>

type Words = Pick<Policy, (typeof WORDS)[keyof typeof WORDS]>

interface Said {
  readonly words: Words
  /** The place that gave them first, as messages name it. */
  readonly where: string
  /** The whole policy, where the cache was made by name. */
  made: Policy | undefined
}

/** How many names are remembered. The least recently used ones are forgotten first. */
const CAP = 10_000

export class CacheWords {
  readonly #said = new Map<string, Said>()
  readonly #unsaid: Words
  readonly #onNews: (cache: string) => void

  /** `onNews` is called when the options of a cache first differ from `unsaid`, with which the cache was used until then. */
  constructor(unsaid: Words, onNews: (cache: string) => void) {
    this.#unsaid = unsaid
    this.#onNews = onNews
  }

  /** How many caches have known options. */
  get size(): number {
    return this.#said.size
  }

  /** @throws InvalidOptionError when another caller has given other options for this cache. */
  say(cache: string, policy: Policy, where: string): void {
    this.#agree(cache, policy, where)
  }

  /** The same for a cache that is made by name, where the whole policy has to be the same. */
  make(cache: string, policy: Policy, where: string): void {
    const said = this.#agree(cache, policy, where)
    if (said.made === undefined) said.made = policy
    else assertSamePolicy(cache, said.made, policy, where)
  }

  /** The policy for a caller that gives no options; `policy` if nobody has given any. */
  follow(cache: string, policy: Policy): Policy {
    const said = this.#said.get(cache)
    return said === undefined ? policy : (said.made ?? { ...policy, ...said.words })
  }

  #agree(cache: string, policy: Policy, where: string): Said {
    const known = this.#said.get(cache)
    if (known === undefined) return this.#first(cache, policy, where)
    for (const [option, word] of Object.entries(WORDS)) {
      if (known.words[word] === policy[word]) continue
      throw new InvalidOptionError({
        option: `${where}.${option}`,
        expected: `the same as ${known.where} says of the cache ${cache}; say it in one place, such as @CacheConfig`,
        received: option === 'version' ? 'another version' : policy[word],
      })
    }
    this.#said.delete(cache)
    this.#said.set(cache, known)
    return known
  }

  #first(cache: string, policy: Policy, where: string): Said {
    const { schema, isolation, local, remote, scope, behind } = policy
    const words = { schema, isolation, local, remote, scope, behind }
    const said = { words, where, made: undefined }
    this.#said.set(cache, said)
    if (this.#said.size > CAP) {
      for (const oldest of this.#said.keys()) {
        this.#said.delete(oldest)
        break
      }
    }
    const isNews = Object.values(WORDS).some((word) => policy[word] !== this.#unsaid[word])
    if (isNews) this.#onNews(cache)
    return said
  }
}

function assertSamePolicy(cache: string, known: Policy, policy: Policy, where: string): void {
  for (const name of Object.keys(known) as (keyof Policy)[]) {
    // Functions cannot be compared: each call may create an equal one.
    if (known[name] === policy[name] || typeof known[name] === 'function') continue
    throw new InvalidOptionError({
      option: `${where}.${name.replace(/Ms$/, '')}`,
      expected: `what it was when the cache ${cache} was made, ${String(known[name])}; leave the options out to use it`,
      received: policy[name],
    })
  }
}
