/** Topics within this process, with the semantics of the shared ones. */

import type {
  TopicCapabilities,
  TopicListener,
  TopicProvider,
  TopicTarget,
} from '@larder/core/store'
import { LocalProvider } from '../local-provider.ts'

interface Listening {
  readonly segments: readonly string[]
  readonly listener: TopicListener
}

/**
 * Creates a provider of topics in this process only, for all managers of one namespace together: for development and tests. `lruStore` has
 * one already.
 *
 * @example createCacheManager({ namespace: 'shop', topics: localTopics() })
 */
export function localTopics(): TopicProvider {
  return new LocalTopics()
}

class LocalTopics extends LocalProvider<Set<Listening>> implements TopicProvider {
  readonly capabilities: TopicCapabilities = { shared: false }
  readonly #own = new Set<Listening>()
  #isClosed = false

  constructor() {
    super({ kind: 'topics', isOwn: false, make: () => new Set() })
  }

  async publish({ name }: TopicTarget, payload: Uint8Array): Promise<void> {
    const listening = this.table
    const given = name.split('.')
    const bytes = payload.slice()
    for (const each of [...listening]) {
      if (!isMatch(each.segments, given)) continue
      // After this step, as messages of another process come: nobody is called within `publish`.
      queueMicrotask(() => {
        if (listening.has(each)) each.listener.onMessage(name, bytes)
      })
    }
  }

  listen({ name }: TopicTarget, listener: TopicListener): () => void {
    if (this.#isClosed) return () => undefined
    const listening = this.table
    const each = { segments: name.split('.'), listener }
    listening.add(each)
    this.#own.add(each)
    queueMicrotask(() => {
      if (listening.has(each)) listener.onUp()
    })
    return () => {
      listening.delete(each)
      this.#own.delete(each)
    }
  }

  override async close(): Promise<void> {
    this.#isClosed = true
    for (const each of this.#own) this.table.delete(each)
    this.#own.clear()
    await super.close()
  }
}

function isMatch(wanted: readonly string[], given: readonly string[]): boolean {
  return (
    wanted.length === given.length &&
    wanted.every((segment, i) => segment === '*' || segment === given[i])
  )
}
