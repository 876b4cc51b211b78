/**
 * Rate limits for HTTP without a framework: what a request says, the decision, the fields and the problem document. The subpaths for
 * frameworks are made of it; use it for one that has none.
 */

export type { LimitDecision, PassedRequest, RefusalAnswer, RefusedRequest } from './decision.ts'
export type { Fields, ReadField } from './field-lists.ts'
export { LimitGuard } from './limit-guard.ts'
export type {
  AddressLimit,
  HttpProblem,
  LimitCost,
  LimitedBy,
  LimitKey,
  ProxyTrust,
  RateLimitOptions,
  RateLimitSettings,
} from './rate-limit-options.ts'
export { type GuardPlace, RATE_LIMIT_DEFAULTS, RATE_LIMIT_NAMES } from './resolve-options.ts'
export { onResponseEnd, type ResponseEnd } from './response-end.ts'
export { tighter } from './standings.ts'
export { trustInFastify, trustsInExpress } from './trust-settings.ts'
export { HiddenAddresses, readsAddress, trustError, trustsEverybody } from './trusted-proxies.ts'
