/**
 * Many waiters for one signal, with one listener on it.
 *
 * Node warns of a leak from the eleventh listener on, and a caller whose signal ends a hundred waits did nothing wrong.
 */

const waiting = new WeakMap<AbortSignal, Aborting>()

interface Aborting {
  readonly tasks: Set<() => void>
  readonly listener: () => void
}

/** Runs `task` once when the signal aborts, at once if it has; returns a function that cancels this. `task` must not throw. */
export function onAbort(signal: AbortSignal, task: () => void): () => void {
  if (signal.aborted) {
    task()
    return () => undefined
  }
  const { tasks } = waiting.get(signal) ?? listenTo(signal)
  // The same function may be registered twice.
  const own = (): void => task()
  tasks.add(own)
  return () => {
    tasks.delete(own)
    if (tasks.size === 0) forget(signal)
  }
}

function listenTo(signal: AbortSignal): Aborting {
  const tasks = new Set<() => void>()
  const listener = (): void => {
    forget(signal)
    for (const task of tasks) task()
  }
  const aborting = { tasks, listener }
  waiting.set(signal, aborting)
  signal.addEventListener('abort', listener)
  return aborting
}

function forget(signal: AbortSignal): void {
  const aborting = waiting.get(signal)
  if (aborting === undefined) return
  waiting.delete(signal)
  signal.removeEventListener('abort', aborting.listener)
}
