/** R17: the fields are what RFC 9651 can read, whatever limiters are called, and `Retry-After` is not before the end of a window. */

import type { LimiterOptions, PolicyOptions } from '@larder/core'
import { type LimitDecision, LimitGuard } from '@larder/plugins/http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { membersOf } from './support/client.ts'
import { startLocal } from './support/stores.ts'

const NAME = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/)
const PERIODS = ['1ms', '1s', '1h', '3650d', 'hour', 'day', 'week', 'month'] as const

const policy = fc.record({
  name: NAME,
  limit: fc.integer({ min: 0, max: 1_000_000_000 }),
  per: fc.constantFrom(...PERIODS),
})

/** Limits of up to a thousand count exactly, larger ones in slices, so the algorithm is left to them. */
const rules = fc.uniqueArray(policy, { minLength: 1, maxLength: 3, selector: ({ name }) => name })

async function decide(limits: readonly LimiterOptions[], times: number, cost: number) {
  const caches = startLocal()
  const said = limits.map((options) => ({
    limiter: caches.limiter(options),
    key: () => 'k',
    cost: () => cost,
  }))
  const guard = new LimitGuard<object>(
    { limits: said as never, legacy: true, partitionKey: '☃ "\\' },
    { where: 'limit' },
  )
  const decisions: LimitDecision[] = []
  for (let i = 0; i < times; i++)
    decisions.push(await guard.decide({}, new AbortController().signal))
  await caches.close()
  return decisions
}

const fieldsOf = (
  decision: LimitDecision,
  read: (name: string) => string | undefined = () => undefined,
) => (decision.kind === 'passed' ? decision.fields(read) : decision.answer(read).fields)

function check(fields: Readonly<Record<string, string>>): void {
  const policies = membersOf(fields['RateLimit-Policy'] ?? '')
  const limits = membersOf(fields['RateLimit'] ?? '')
  const retryAfter = fields['Retry-After']
  expect(new Set(policies.map(({ name }) => name)).size).toBe(policies.length)
  for (const { q, w, pk } of policies) {
    expect(Number.isInteger(q)).toBe(true)
    if (w !== undefined) expect(w).toBeGreaterThan(0)
    expect(pk).toBeInstanceOf(ArrayBuffer)
  }
  for (const { name, r, t } of limits) {
    expect(policies.map((each) => each.name)).toContain(name)
    expect(r).toBeGreaterThanOrEqual(0)
    if (t !== undefined) expect(t).toBeGreaterThanOrEqual(0)
    if (retryAfter !== undefined) expect(Number(t ?? 0)).toBeLessThanOrEqual(Number(retryAfter))
  }
  if (retryAfter !== undefined) expect(retryAfter).toMatch(/^\d+$/)
  for (const [name, value] of Object.entries(fields)) {
    expect(name).toMatch(/^[A-Za-z-]+$/)
    expect(value).toMatch(/^[\x20-\x7e]*$/)
  }
}

it('of all decisions, with any names, limits and costs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ name: NAME, policies: rules }), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 0, max: 1_000 }),
      async (limiters, cost) => {
        const options = limiters.map(
          ({ name, policies }) =>
            ({
              name,
              policies: policies as unknown as PolicyOptions[],
            }) as unknown as LimiterOptions,
        )
        for (const decision of await decide(options, 3, cost)) check(fieldsOf(decision))
      },
    ),
    { numRuns: 60 },
  )
}, 60_000)

it('appended to any fields that are there', async () => {
  const [passed, refused] = await decide([{ name: 'api', limit: 1, per: '10s' }], 2, 1)
  await fc.assert(
    fc.property(
      fc.array(fc.tuple(NAME, fc.nat(1_000), fc.nat(100_000)), { maxLength: 4 }),
      fc.option(fc.nat(100_000), { nil: undefined }),
      (members, retryAfter) => {
        const pk = ';pk=:AA==:'
        const own = [...new Map(members.map((member) => [member[0], member] as const)).values()]
        const before: Record<string, string | undefined> = {
          'RateLimit-Policy':
            own.map(([name, q]) => `"${name}";q=${q}${pk}`).join(', ') || undefined,
          RateLimit:
            own.map(([name, r, t]) => `"${name}";r=${r};t=${t}${pk}`).join(', ') || undefined,
          'Retry-After': retryAfter === undefined ? undefined : String(retryAfter),
        }
        for (const decision of [passed, refused]) {
          const fields = fieldsOf(decision as LimitDecision, (name) => before[name])
          check(fields)
          expect(membersOf(fields['RateLimit'] ?? '')).toHaveLength(own.length + 1)
        }
      },
    ),
  )
})

describe('what is there already', () => {
  const read = (fields: Record<string, string>) => (name: string) => fields[name]

  it('a date in Retry-After stays where it is later, and the windows that end after it are left out', async () => {
    const [, refused] = await decide([{ name: 'api', limit: 1, per: '10s' }], 2, 1)
    const far = new Date(Date.now() + 86_400_000).toUTCString()
    const fields = fieldsOf(
      refused as LimitDecision,
      read({ 'Retry-After': far, RateLimit: '"far";r=1;t=604800, "a;t=999999";r=1;t=5' }),
    )
    expect(fields['Retry-After']).toBe(far)
    expect(fields['RateLimit']).toMatch(/^"far";r=1, "a;t=999999";r=1;t=5, "api";r=0;t=\d+;pk=/)
  })

  it('a policy of the same name gets another', async () => {
    const [passed] = await decide([{ name: 'api', limit: 5, per: '10s' }], 1, 1)
    const fields = fieldsOf(passed as LimitDecision, read({ 'RateLimit-Policy': '"api";q=1' }))
    const names = membersOf(fields['RateLimit-Policy'] ?? '').map(({ name }) => name)
    expect(new Set(names).size).toBe(2)
    expect(membersOf(fields['RateLimit'] ?? '').map(({ name }) => name)).toEqual([names[1]])
  })
})
