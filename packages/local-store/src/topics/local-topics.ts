/** Topics within this process, with the semantics of the shared ones. */

import type {
  TopicCapabilities,
  TopicListener,
  TopicProvider,
  TopicTarget,
} from '@larder/core/store'
import { processTables } from '../process-tables.ts'

interface Listening {
  readonly segments: readonly string[]
  readonly listener: TopicListener
}

/** Who listens in a namespace, and who uses it; dropped with the last one. */
interface SharedTopics {
  readonly listening: Set<Listening>
  readonly users: Set<object>
}

const shared = processTables<SharedTopics>('topics')

/**
 * Creates a provider of topics in this process only, for all managers of one namespace together: for development and tests. `lruStore` has
 * one already.
 *
 * @example createCacheManager({ namespace: 'shop', topics: localTopics() })
 */
export function localTopics(): TopicProvider {
  return new LocalTopics()
}

class LocalTopics implements TopicProvider {
  readonly name = 'local'
  readonly capabilities: TopicCapabilities = { shared: false }
  readonly #own = new Set<Listening>()
  #namespace = ''
  #joined: SharedTopics | undefined
  #isClosed = false

  open(namespace: string): void {
    if (this.#joined !== undefined) return
    this.#namespace = namespace
    this.#joined = shared.get(namespace) ?? { listening: new Set(), users: new Set() }
    this.#joined.users.add(this)
    shared.set(namespace, this.#joined)
  }

  async publish({ name }: TopicTarget, payload: Uint8Array): Promise<void> {
    const { listening } = this.#opened
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
    const { listening } = this.#opened
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

  async close(): Promise<void> {
    this.#isClosed = true
    const joined = this.#joined
    for (const each of this.#own) joined?.listening.delete(each)
    joined?.users.delete(this)
    if (joined?.users.size === 0) shared.delete(this.#namespace)
  }

  get #opened(): SharedTopics {
    if (this.#joined === undefined) throw new Error('The local topics are not open')
    return this.#joined
  }
}

function isMatch(wanted: readonly string[], given: readonly string[]): boolean {
  return (
    wanted.length === given.length &&
    wanted.every((segment, i) => segment === '*' || segment === given[i])
  )
}
