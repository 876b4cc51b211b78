/** What must compile, and what must not, of locks. Compiled, never run. */

import { currentLock, type Locks, WithLock } from '@larder/core'

export class Till {
  @WithLock({ key: (id: string) => `order:${id}`, lease: '10s', wait: '5s' })
  async pay(_id: string, _amount: number): Promise<number> {
    const { fence, signal } = currentLock()
    return signal.aborted ? 0 : fence
  }

  @WithLock({ key: 'order:{0}', mode: 'read' })
  async look(_id: string): Promise<void> {}

  @WithLock({ keys: (from: string, to: string) => [from, to] })
  async transfer(_from: string, _to: string): Promise<void> {}

  // @ts-expect-error the key function takes a number, the method a string
  @WithLock({ key: (id: number) => id })
  async wrongKey(_id: string): Promise<void> {}

  // @ts-expect-error the keys function takes more than the method gives
  @WithLock({ keys: (a: string, b: string) => [a, b] })
  async wrongKeys(_a: string): Promise<void> {}

  // @ts-expect-error a method that returns no promise
  @WithLock({ key: (id: string) => id })
  sync(_id: string): number {
    return 1
  }
}

// @ts-expect-error a wrong unit
WithLock({ lease: '5 minutes' })
// @ts-expect-error an unknown option
WithLock({ timeout: '5s' })
// @ts-expect-error a signal belongs to a call
WithLock({ signal: AbortSignal.abort() })

export async function byHand(locks: Locks): Promise<number> {
  await using lock = await locks.acquire('order:7', { lease: '10s', wait: '5s' })
  lock.assertHeld()
  const result: string = await locks.run(
    ['a', 'b'],
    { permits: 3 },
    async ({ fence }) => `${fence}`,
  )
  return result.length + lock.remainingMs()
}
