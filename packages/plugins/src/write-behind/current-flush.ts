/** The hold that the running code writes under. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { InvalidOptionError } from '@larder/core'
import type { FlushContext } from './written-write.ts'

const flushes = new AsyncLocalStorage<FlushContext>()

/**
 * Returns the fence and the signal of the batch that is being written: for a writer that is not given them, and for what it calls.
 *
 * @throws InvalidOptionError outside of a writer
 */
export function currentFlush(): FlushContext {
  const flush = flushes.getStore()
  if (flush !== undefined) return flush
  throw new InvalidOptionError({
    option: 'currentFlush()',
    expected: 'to be called by the writer of a write-behind queue',
    received: undefined,
  })
}

export function runInFlush<Result>(context: FlushContext, run: () => Result): Result {
  return flushes.run(context, run)
}
