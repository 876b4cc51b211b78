/**
 * The async context (`AsyncLocalStorage`) of a call, kept for its own code.
 *
 * Whatever gathers several callers' work loses it: a batch of one tick, a timer for many deadlines, a wake-up, a message,
 * a reply that resolves them all. What runs next runs in the context of whoever came first, and there the user's loader
 * would find another request's tenant, transaction or trace, and cache what it saw with these. So who runs a user's code
 * later keeps the context at the call, and goes back into it for that code.
 *
 * Awaiting does it by itself: after an `await` an async function is in its own context, whoever resolved the promise. Only
 * callbacks that others call need this.
 *
 * (`AsyncLocalStorage.snapshot()` says the same, and costs some hundred times as much on Node 20 and 22.)
 */

import { AsyncResource } from 'node:async_hooks'

/** The context of a call; made by `keepContext`. */
export type KeptContext = Pick<AsyncResource, 'runInAsyncScope'>

/** Keeps the context of the running code. Cheap enough for every local miss, not for a local hit. */
export function keepContext(): KeptContext {
  return new AsyncResource('LARDER')
}

/**
 * Runs a task in a context that was kept; returns what it returns, throws what it throws.
 *
 * @example
 * const context = keepContext()
 * batch.add(key, (value) => runIn(context, () => options.onValue(value)))
 */
export function runIn<Result>(context: KeptContext, task: () => Result): Result {
  return context.runInAsyncScope(task)
}
