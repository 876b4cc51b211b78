/** Which manager decorated methods use when several default ones are made and closed, in whatever order. */

import { Cacheable, type CacheManager, createCacheManager, WithLock } from '@larder/core'
import { lruStore } from '@larder/local-store'
import { afterEach, describe, expect, it } from 'vitest'

const open: CacheManager[] = []

function made(namespace: string): CacheManager {
  const manager = createCacheManager({ namespace, local: lruStore() })
  open.push(manager)
  return manager
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((manager) => manager.close()))
})

class Service {
  @Cacheable({ key: (id: string) => id, cache: 'service' })
  async find(id: string): Promise<string> {
    return `found ${id}`
  }

  @WithLock({ key: (id: string) => id })
  async work(id: string): Promise<string> {
    return `done ${id}`
  }
}

/** The manager that holds what is read now. */
async function used(managers: readonly CacheManager[]): Promise<string | undefined> {
  const id = `${Math.random()}`
  await new Service().find(id)
  for (const manager of managers) {
    if (manager.isClosed) continue
    if ((await manager.cache('service').get(id)) !== undefined) return manager.namespace
  }
  return undefined
}

describe('of several default managers', () => {
  it('the one made last is used, and when it is closed the one made before it', async () => {
    const managers = [made('first'), made('second'), made('third')]
    const [, second, third] = managers
    expect(await used(managers)).toBe('third')
    await third?.close()
    expect(await used(managers)).toBe('second')
    await second?.close()
    expect(await used(managers)).toBe('first')
    expect(await new Service().work('a')).toBe('done a')
  })

  it('one that is closed while another is used is not come back to', async () => {
    const managers = [made('first'), made('second'), made('third')]
    const [, second, third] = managers
    await second?.close()
    expect(await used(managers)).toBe('third')
    await third?.close()
    expect(await used(managers)).toBe('first')
  })

  it('none is left when all are closed, and a new one takes over', async () => {
    const managers = [made('first'), made('second')]
    await used(managers)
    for (const manager of managers) await manager.close()
    await expect(new Service().find('a')).rejects.toMatchObject({ code: 'LARDER_CLOSED' })
    const third = made('third')
    expect(await used([third])).toBe('third')
  })

  it('the first and the last ones are remembered where very many are never closed', async () => {
    const managers = Array.from({ length: 100 }, (_, i) => made(`n${i}`))
    const names: (string | undefined)[] = []
    for (;;) {
      const name = await used(managers).catch(() => undefined)
      if (name === undefined) break
      names.push(name)
      await managers.find(({ namespace }) => namespace === name)?.close()
    }
    expect(names[0]).toBe('n99')
    expect(names.at(-1)).toBe('n0')
    expect(names.length).toBe(17)
  })
})
