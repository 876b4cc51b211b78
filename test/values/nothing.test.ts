/** An entry of nothing carries the tags that its arguments give it. */

import { Cacheable, CacheEvict, createCacheManager } from '@larder/core'
import { MemoryServer, structuredCodec } from '@larder/core/testing'
import { lruStore } from '@larder/local-store'
import { expect, it, onTestFinished } from 'vitest'

class Accounts {
  readonly byEmail = new Map<string, string>()

  @Cacheable({
    cache: 'accounts-by-email',
    key: (email: string) => email,
    negativeTtl: '1m',
    tags: (found: string | undefined, email: string) => [
      `email:${email}`,
      ...(found === undefined ? [] : [`account:${found}`]),
    ],
  })
  async findByEmail(email: string): Promise<string | undefined> {
    return this.byEmail.get(email)
  }

  @CacheEvict({
    tags: (_: unknown, id: string, email: string) => [`account:${id}`, `email:${email}`],
  })
  async changeEmail(id: string, email: string): Promise<void> {
    this.byEmail.set(email, id)
  }
}

it.each(['in process', 'with a shared tier'])(
  '%s, a tag from the arguments evicts it',
  async (where) => {
    const remote =
      where === 'in process' ? {} : { remote: new MemoryServer().store(), codec: structuredCodec }
    const caches = createCacheManager({ namespace: 'nothing', local: lruStore(), ...remote })
    onTestFinished(() => caches.close())
    const accounts = new Accounts()
    for (let i = 0; i < 2; i++) expect(await accounts.findByEmail('x@a')).toBeUndefined()
    await accounts.changeEmail('7', 'x@a')
    expect(await accounts.findByEmail('x@a')).toBe('7')
    await accounts.changeEmail('7', 'y@a')
    expect(await accounts.findByEmail('y@a')).toBe('7')
  },
)
