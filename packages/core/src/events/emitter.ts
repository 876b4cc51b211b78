/** Hands events to those who listen. */

import { type KeptContext, keepContext } from '../lifecycle/call-context.ts'
import { isThenable } from '../lifecycle/is-thenable.ts'
import type { AllEvents, EventName } from './events.ts'

type Listener<Name extends EventName> = (event: AllEvents[Name]) => void

/** Listeners of one event, each with the context in which it began to listen. */
type Listeners = Map<Listener<never>, KeptContext>

/** Hands events to listeners; building an event can be skipped when nobody listens. */
export class Emitter {
  readonly #listeners = new Map<EventName, Listeners>()
  /** Those that are heard. Look here before you build an event on a hot path. To be read only. */
  readonly heard: ReadonlyMap<EventName, unknown> = this.#listeners
  /** True while `hit` has a listener; a field, because the local-hit path reads it. */
  hearsHits = false
  /** Whose events they are: the manager. */
  readonly owner: object

  constructor(owner: object = {}) {
    this.owner = owner
  }

  /**
   * Adds a listener; returns what removes it. It runs in the async context of this call: an event is about the cache and
   * often about several callers, so it is given none of theirs. `context`: another one to run in.
   */
  on<Name extends EventName>(
    name: Name,
    listener: Listener<Name>,
    context: KeptContext = keepContext(),
  ): () => void {
    const listeners: Listeners = this.#listeners.get(name) ?? new Map()
    this.#listeners.set(name, listeners)
    listeners.set(listener as Listener<never>, context)
    this.hearsHits = this.#listeners.has('hit')
    return () => {
      listeners.delete(listener as Listener<never>)
      if (listeners.size === 0 && this.#listeners.get(name) === listeners) {
        this.#listeners.delete(name)
      }
      this.hearsHits = this.#listeners.has('hit')
    }
  }

  /**
   * Calls the listeners in order. What one throws, or rejects with, is dropped: an observer must not break the observed
   * call, nor end the process.
   */
  emit<Name extends EventName>(name: Name, event: AllEvents[Name]): void {
    const listeners = this.#listeners.get(name)
    if (listeners === undefined) return
    for (const [listener, context] of [...listeners]) {
      try {
        const answer: unknown = context.runInAsyncScope(
          listener as Listener<Name>,
          undefined,
          event,
        )
        if (isThenable(answer)) answer.then(undefined, () => undefined)
      } catch {
        // Deliberate: see the docstring. Reporting it as an event could loop.
      }
    }
  }

  /** Removes every listener. */
  clear(): void {
    this.#listeners.clear()
    this.hearsHits = false
  }
}
