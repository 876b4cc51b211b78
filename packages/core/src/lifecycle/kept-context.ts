/**
 * The async context (`AsyncLocalStorage`) of a call, kept for its own code.
 *
 * Code that gathers the work of several callers loses it: a batch of one tick, a timer for many deadlines, a wake-up, a message,
 * a reply that resolves them all. What runs next runs in the context of the first caller, and there the user's loader would
 * see another request's tenant, transaction or trace, and cache a value made with these. So code that runs a user's function
 * later keeps the context at the call, and returns to it for that function.
 *
 * Awaiting does this by itself: after an `await` an async function is in its own context, whatever resolved the promise. Only
 * callbacks that other code calls need this.
 *
 * (`AsyncLocalStorage.snapshot()` does the same, and costs some hundred times as much on Node 20 and 22.)
 */

import { AsyncResource } from 'node:async_hooks'

/** The context of a call; made by `keepContext`. */
export type KeptContext = Pick<AsyncResource, 'runInAsyncScope'>

/** Keeps none: what runs in it runs in whatever context it is called in. */
export const CURRENT_CONTEXT: KeptContext = {
  runInAsyncScope: (task, self, ...args) => Reflect.apply(task, self, args),
}

/** Keeps the context of the running code. Cheap enough for every local miss, not for a local hit. */
export function keepContext(): KeptContext {
  return new AsyncResource('LARDER')
}

/**
 * Runs a task in a kept context; returns what the task returns, throws what it throws.
 *
 * @example
 * const context = keepContext()
 * batch.add(key, (value) => runIn(context, () => options.onValue(value)))
 */
export function runIn<Result>(context: KeptContext, task: () => Result): Result {
  return context.runInAsyncScope(task)
}
