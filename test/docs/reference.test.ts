/** The pages of docs/reference are what the code says. */

import { createCacheManager } from '@larder/core'
import { PARTITIONS } from '@larder/core/store'
import { adaptiveStore, lruStore } from '@larder/local-store'
import { redisStore } from '@larder/redis-store'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../packages/core/src/errors/codes.ts'
import { resolveLockOptions } from '../../packages/core/src/locks/lock-options.ts'
import {
  CACHE_OPTION_NAMES,
  resolveCachePolicy,
} from '../../packages/core/src/options/cache-options.ts'
import * as layout from '../../packages/redis-store/src/key-layout.ts'
import { fieldsOf } from '../../tools/reference/interfaces.mjs'
import { SECTIONS } from '../../tools/reference/options-page.mjs'
import { referencePages } from '../../tools/reference/write.mjs'
import { codeIn, readPage, rowsOf, sectionOf } from './pages.ts'

const fields = SECTIONS.flatMap(({ title, of, without = [] }) =>
  of.flatMap(([file, name]) =>
    fieldsOf(readPage(file), name)
      .filter((field) => !without.includes(field.name))
      .map((field) => ({ ...field, title, of: name })),
  ),
)

describe('pages that are made from the code', () => {
  it.each(Object.entries(referencePages()))(
    '%s is as `npm run reference` writes it',
    (page, text) => {
      expect(readPage(page)).toBe(text)
    },
  )

  it('every option is explained', () => {
    expect(fields.length).toBeGreaterThan(100)
    for (const { title, name, meaning, type } of fields) {
      expect(meaning, `${title} ${name}`).not.toBe('')
      expect(type, `${title} ${name}`).not.toBe('')
    }
  })

  it('the fields that are read from the source are those of the type', () => {
    const names = fieldsOf(readPage('packages/core/src/options/cache-options.ts'), 'CacheOptions')
    expect(names.map(({ name }) => name)).toEqual([...CACHE_OPTION_NAMES])
  })

  it('has the options of everything that the packages export', () => {
    const shown = new Set([
      ...SECTIONS.flatMap(({ of }) => of.map(([, name]) => name.replace(/Fields$/, 'Options'))),
      ...ELSEWHERE,
    ])
    for (const entry of ['core', 'local-store', 'redis-store']) {
      const source = readPage(`packages/${entry}/src/index.ts`)
      for (const [name] of source.matchAll(/\b[A-Z]\w*(Options|Settings|Config)\b/g))
        expect(shown, `${name} of ${entry}`).toContain(name)
    }
  })
})

/** Made of the interfaces on the page. */
const ELSEWHERE = [
  'CacheConfig',
  'CacheEvictBeforeOptions',
  'CacheableEachOptions',
  'LimiterOptions',
  'RateLimitedOptions',
]

describe('ranges', () => {
  const REDIS = { url: 'redis://localhost' }
  const PLAIN = { limit: 1, per: '1m' } as const
  const probes: Readonly<Record<string, (option: object) => unknown>> = {
    CacheManagerOptions: (option) =>
      createCacheManager({ namespace: 'docs', default: false, ...option }),
    CacheOptions: (option) => resolveCachePolicy([option], 'docs'),
    LockOptions: (option) => resolveLockOptions(option, 'docs'),
    LimiterOwnOptions: (option) =>
      createCacheManager({ namespace: 'docs', default: false, local: lruStore() }).limiter({
        ...PLAIN,
        ...option,
      }),
    RedisStoreOptions: (option) => redisStore({ ...REDIS, ...option }),
    LruStoreOptions: (option) => lruStore(option),
    AdaptiveStoreOptions: (option) => adaptiveStore(option),
  }
  const ranged = fields.flatMap(({ of, name, type, meaning }) => {
    const probe = probes[of]
    const [, from, to] = /(\d[\d ]*(?: \w+)?) to (\d[\d ]*(?: \w+)?)\./.exec(meaning) ?? []
    if (probe === undefined || to === undefined || !/Duration|number/.test(type)) return []
    return [{ name, of, probe, range: `${from} to ${to}` }]
  })

  it('are found', () => {
    expect(ranged.map(({ name }) => name)).toContain('maxStaleness')
    expect(ranged.length).toBeGreaterThan(8)
  })

  it.each(ranged)('$name of $of takes $range', ({ name, probe, range }) => {
    let message = ''
    try {
      probe({ [name]: -1 })
    } catch (error) {
      message = (error as Error).message
    }
    const squeezed = (text: string): string => text.replace(/[\s_]+/g, '')
    const inUnits = range.replace('10 years', '3650 d').replace('1 min', '1 m')
    expect(squeezed(message)).toContain(squeezed(inUnits))
  })
})

it('each error has an anchor', () => {
  for (const code of Object.keys(ERROR_CODES))
    expect(readPage('docs/reference/errors.md')).toContain(
      `<a id="${code.toLowerCase()}"></a>\`${code}\``,
    )
})

/** Where a period begins. */
const FROM = 1_764_547_200_000

it('the keys and channels of Redis are those that the code makes', () => {
  const { lock, queue, waiters } = layout.lockKeys('shop', 'order:7')
  const nodes = layout.fleetKeys('shop')
  const events = layout.eventKeys('shop', 'accounts', 3)
  const writes = layout.queueKeys('shop', 'progress')
  const limit = layout.limitKey('shop', 'api', 'ip:1.2.3.4')
  const counter = layout.counterKeys('shop', { counter: 'hits', per: 'day' }, '0:home')
  const [visitors] = layout.uniqueKeys(
    'shop',
    { uniques: 'visitors', per: 'day' },
    { key: 'home', period: `${FROM}` },
  )
  const session = layout.sessionKeys('shop', 'web', { tag: 'uXk3…', name: 'tq4k1ab~9f…' })
  const emails = layout.streamKeys('shop', 'emails')
  const mailer = layout.streamGroupKeys('shop', { stream: 'emails', group: 'mailer' })
  const keys = [
    layout.entryKey('shop', 12, 'products:42'),
    layout.logKey('shop', 12),
    layout.headsKey('shop'),
    layout.owedKey('shop'),
    layout.tagsKey('shop'),
    layout.storeKey('shop'),
    nodes.ends,
    nodes.heartbeats,
    lock,
    queue,
    waiters,
    `${limit}${layout.policyEnding('default', 'exact')}`,
    `${limit}${layout.BLOCK_ENDING}`,
    session.list,
    session.session,
    layout.boardKeys('shop', 'weekly', `${FROM}`)[0],
    layout.boardClockKey('shop', 'weekly'),
    counter.counts,
    counter.done('x9…'),
    visitors,
    emails.key,
    emails.idKey('x9…'),
    mailer.due,
    mailer.dead,
    mailer.markKey('x9…'),
    ...layout.structureKeys('shop', 'map.carts', 'user-7'),
    layout.eventPartitionsKey('shop', 'accounts'),
    events.log,
    events.stream('acc-1'),
    events.done('x9…'),
    events.projection('balances'),
    writes[0],
    writes[1],
    writes[5],
    ...layout.fencedKeys('shop', 'front-page'),
  ]
  const shown = rowsOf(sectionOf('docs/reference/redis.md', '## Keys')).map(
    ([key]) => codeIn(key)[0],
  )
  expect(shown).toEqual(keys)
  const channels = [
    layout.channelName('shop', { database: 0, identity: 'Jd8s_0aZfQ2c' }),
    layout.inboxName('shop', ''),
    layout.limitsChannel('shop', 0),
    layout.topicChannel('shop', 0, 'orders.paid'),
  ]
  const listed = rowsOf(sectionOf('docs/reference/redis.md', '## Channels')).map(
    ([key]) => codeIn(key)[0],
  )
  expect(listed).toEqual(channels)
  expect(readPage('docs/reference/redis.md')).toContain(`There are ${PARTITIONS} partitions.`)
})
