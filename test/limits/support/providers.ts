/** The two providers under one clock that a test owns: the scripts on a real Redis, and the model. */

import type { Admission, LimitRule, RateLimitProvider } from '@larder/core/store'
import { inject, onTestFinished } from 'vitest'
import { Subject } from '../../../packages/local-store/src/limits/subject.ts'
import { Backend } from '../../../packages/redis-store/src/backend.ts'
import { RedisLimits } from '../../../packages/redis-store/src/limits/redis-limits.ts'
import { resolveRedisStoreOptions } from '../../../packages/redis-store/src/options.ts'
import { freshNamespace } from '../../support/nodes.ts'
import { START_US } from './rules.ts'

/** Time in a test's hands, µs. */
export class TestTime {
  us = START_US

  readonly read = (): number => this.us
}

/** Makes the provider of the scripts on the shared Redis, which a manager opens; without a clock, on the server's own. */
export function makeRedisLimits(time?: TestTime, url = inject('redisUrl')): RateLimitProvider {
  const options = resolveRedisStoreOptions({ url })
  const backend = new Backend(options)
  return new RedisLimits({ backend, options, ownsBackend: true, nowUs: time?.read })
}

/** Opens the scripts on the shared Redis; without a clock, on the server's own. */
export function openRedisLimits(
  time?: TestTime,
  namespace = freshNamespace(),
  url = inject('redisUrl'),
): RateLimitProvider {
  const provider = makeRedisLimits(time, url)
  provider.open(namespace)
  onTestFinished(() => provider.close())
  return provider
}

/** The model, which can be looked into. */
export interface Model extends RateLimitProvider {
  /** What the scripts would have written of a key, by the endings of their keys. */
  written(rule: LimitRule, key: string): ReadonlyMap<string, readonly number[]>
}

/**
 * The model without the in-process provider around it, which forgets keys that have nothing to say any more: the scripts
 * leave that to Redis, on Redis' own time.
 */
export function openModel(time: TestTime): Model {
  const subjects = new Map<string, Subject>()
  const subjectOf = ({ limiter }: LimitRule, key: string): Subject => {
    const name = `${limiter}:${key}`
    const subject = subjects.get(name) ?? new Subject()
    subjects.set(name, subject)
    return subject
  }
  return {
    name: 'model',
    capabilities: { shared: false },
    open: () => undefined,
    decide: async (rule, requests) =>
      requests.map((request) => subjectOf(rule, request.key).decide(rule, request, time.us).reply),
    refund: async (rule, admission) =>
      subjectOf(rule, admission.key).refund(rule, takenBy(admission), time.us),
    renew: async (rule, admissions) =>
      admissions.map((held) => subjectOf(rule, held.key).renew(rule, takenBy(held), time.us)),
    reset: async (rule, key) => {
      subjectOf(rule, key).reset(rule)
    },
    adjust: async (rule, key, how, points) =>
      how === 'set'
        ? subjectOf(rule, key).set(rule, points, time.us)
        : subjectOf(rule, key).reward(rule, points, time.us),
    block: async (rule, key, us) => {
      subjectOf(rule, key).block(us, time.us)
    },
    close: async () => undefined,
    written: (rule, key) => subjectOf(rule, key).written,
  }
}

function takenBy({ cost, permit, nowUs, waitUs }: Admission) {
  return { cost, permit, nowUs, atUs: nowUs + waitUs }
}
