/**
 * Notices names of caches that methods evict from or put into, but that no method reads. That is a typing mistake, and such a method
 * would silently do nothing. Reported in development only, and not at once: the class that reads may be loaded or called later.
 */

import type { Clock } from '../contracts/clock.ts'
import { isRead, nearestReadName } from '../decorators/bound/read-names.ts'
import type { Logger } from '../options/logger.ts'

/** How long after the first call of a method its name is reported. */
const PATIENCE_MS = 10_000
/** How many names are checked. A program with more names generates them, and does not mistype them. */
const CAP = 1_000

export class UnreadNames {
  readonly #clock: Clock
  readonly #namespace: string
  readonly #logger: Logger
  readonly #seen = new Set<string>()
  #waiting = new Map<string, string>()
  #cancel: (() => void) | undefined

  constructor(namespace: string, clock: Clock, logger: Logger) {
    this.#namespace = namespace
    this.#clock = clock
    this.#logger = logger
  }

  /** How many names were checked. */
  get size(): number {
    return this.#seen.size
  }

  /** A method that changes entries of a cache is called for the first time. */
  watch(cacheName: string, where: string): void {
    if (this.#seen.has(cacheName) || this.#seen.size >= CAP || isRead(cacheName)) return
    this.#seen.add(cacheName)
    this.#waiting.set(cacheName, where)
    this.#cancel ??= this.#clock.schedule(PATIENCE_MS, () => this.#say(), 'background')
  }

  close(): void {
    this.#cancel?.()
  }

  #say(): void {
    const unread = [...this.#waiting].filter(([name]) => !isRead(name))
    this.#waiting = new Map()
    this.#cancel = undefined
    if (unread.length === 0) return
    const named = unread.map(([name, where]) => {
      const meant = nearestReadName(name)
      return `${name} (${where})${meant === undefined ? '' : `, did you mean ${meant}?`}`
    })
    this.#logger.warn(
      `Larder (${this.#namespace}): no method reads the cache ${named.join('; ')}. If other processes do, say so once: caches.cache(name).`,
    )
  }
}
