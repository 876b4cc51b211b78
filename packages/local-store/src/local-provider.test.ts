import type { AcquireRequest, LockProvider } from '@larder/core/store'
import { describe, expect, it, onTestFinished } from 'vitest'
import { localLocks } from './locks/local-locks.ts'

let namespaces = 0

function stage() {
  const namespace = `joined-${namespaces++}`
  return (): LockProvider => {
    const provider = localLocks()
    provider.open(namespace)
    onTestFinished(() => provider.close())
    return provider
  }
}

const take = async (provider: LockProvider, owner: string): Promise<string> => {
  const request = { name: 'one', owner, termMs: 60_000, permits: 1, heartbeatMs: 0 }
  return (await provider.acquire(request as AcquireRequest)).kind
}

describe('providers of one namespace', () => {
  it('share a table, also one that was closed and is opened again', async () => {
    const joined = stage()
    const first = joined()
    const namespace = `joined-${namespaces - 1}`
    await first.close()
    first.open(namespace)
    expect(await take(first, 'a')).toBe('granted')
    expect(await take(joined(), 'b')).toBe('held')
  })

  it('keep their table when one that has left is closed once more', async () => {
    const joined = stage()
    const first = joined()
    await first.close()
    expect(await take(joined(), 'a')).toBe('granted')
    await first.close()
    expect(await take(joined(), 'b')).toBe('held')
  })

  it('begin anew when the last one has left', async () => {
    const joined = stage()
    const first = joined()
    expect(await take(first, 'a')).toBe('granted')
    await first.close()
    expect(await take(joined(), 'b')).toBe('granted')
  })
})
