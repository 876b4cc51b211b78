/** Limits that admit every call, for a manager that is switched off. */

import type { LimitReply, LimitRule, RateLimitProvider } from '../contracts/rate-limit-provider.ts'

export function noLimits(): RateLimitProvider {
  return {
    name: 'off',
    capabilities: { shared: false },
    open() {},
    decide: async (rule, requests) => requests.map(() => admitted(rule)),
    refund: async () => true,
    renew: async (_rule, admissions) => admissions.map(() => true),
    async reset() {},
    adjust: async () => 0,
    async block() {},
    async close() {},
  }
}

function admitted({ policies }: LimitRule): LimitReply {
  return {
    admitted: true,
    waitUs: 0,
    refusedBy: -1,
    states: policies.map(({ limit }) => ({ remaining: limit, resetUs: 0 })),
    nowUs: Date.now() * 1_000,
  }
}
