/** Waiting for conditions, never for time. */

import { setTimeout as delay } from 'node:timers/promises'

const LOOK_EVERY_MS = 5

/**
 * Waits until `condition` is true; what it throws counts as "not yet".
 *
 * @throws Error naming `what`, and the last error, after `withinMs`.
 */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 15_000,
): Promise<void> {
  const end = performance.now() + withinMs
  let last: unknown
  for (;;) {
    try {
      if (await condition()) return
    } catch (error) {
      last = error
    }
    if (performance.now() > end) {
      throw new Error(`Waited ${withinMs} ms in vain until ${what}`, { cause: last })
    }
    await delay(LOOK_EVERY_MS)
  }
}

/** A promise with its ends in hand. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(error: unknown): void
}

export function deferred<Value = void>(): Deferred<Value> {
  let resolve!: (value: Value) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
