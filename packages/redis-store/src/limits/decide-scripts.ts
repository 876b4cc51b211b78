/** Runs the scripts that decide: many calls of one rule in as few scripts as the topology allows. */

import type { LimitReply, LimitRequest } from '@larder/core/store'
import type { Backend } from '../backend.ts'
import { groupByKey, groupInOrder } from './group-requests.ts'
import { isAnswer, undecided } from './key-errors.ts'
import { readDecisions } from './read-decisions.ts'
import type { RuleScript } from './rule-script.ts'
import type { ServerCalendar } from './server-calendar.ts'

export interface DecideParts {
  readonly backend: Backend
  /** The keys of one script then have to be of one hash tag. */
  readonly isCluster: boolean
  readonly calendar: ServerCalendar
  readonly namespace: string
  /** What a test says the server's clock is, µs; else an empty text. */
  clock(): number | string
}

export class DecideScripts {
  readonly #parts: DecideParts

  constructor(parts: DecideParts) {
    this.#parts = parts
  }

  /** Answers in order; a part that the server did not answer is undecided. @throws when all of it failed */
  async decide(
    script: RuleScript,
    requests: readonly LimitRequest[],
  ): Promise<readonly LimitReply[]> {
    const groups = this.#parts.isCluster ? groupByKey(requests) : groupInOrder(requests)
    const [first] = groups
    if (groups.length === 1 && first !== undefined) return this.#decideGroup(script, first)
    const replies = await Promise.allSettled(
      groups.map((group) => this.#decideGroup(script, group)),
    )
    const unanswered = replies.find((reply) => reply.status === 'rejected')
    if (unanswered !== undefined && replies.every(({ status }) => status === 'rejected'))
      throw unanswered.reason
    const replyTo = new Map<LimitRequest, LimitReply>()
    for (const [g, group] of groups.entries()) {
      const reply = replies[g]
      for (const [i, request] of group.entries()) {
        const found = reply?.status === 'fulfilled' ? reply.value[i] : undecided(reply?.reason)
        if (found !== undefined) replyTo.set(request, found)
      }
    }
    return requests.map((request) => replyTo.get(request) as LimitReply)
  }

  /** One script call for all of them. What the server answers instead of deciding is each one's failure. */
  async #decideGroup(
    script: RuleScript,
    requests: readonly LimitRequest[],
  ): Promise<readonly LimitReply[]> {
    const { calendar, namespace } = this.#parts
    const keys: string[] = []
    const calls: string[] = []
    for (const request of requests) {
      script.pushDecisionKeys(keys, namespace, request.key)
      calls.push(wordOf(request))
    }
    try {
      return await calendar.reached(async () => {
        const reply = await this.#run(script, keys, calls)
        const policies = script.rule.policies.length
        const { nowUs, replies } = readDecisions(reply, requests.length, policies)
        return { answer: replies, nowUs }
      })
    } catch (error) {
      if (!isAnswer(error)) throw error
      return requests.map(() => undecided(error))
    }
  }

  async #run(
    script: RuleScript,
    keys: readonly string[],
    calls: readonly string[],
  ): Promise<unknown> {
    const { decision } = script
    const { backend, calendar } = this.#parts
    const clock = this.#parts.clock()
    if (backend.client === undefined) await backend.connected('limitDecide')
    if (decision.kind === 'any') {
      const args = [clock, script.at(calendar.serverUs), ...calls]
      return backend.scripts.run({ script: 'limitDecide', keys, args })
    }
    const costs = calls.every((call) => call === '1') ? [] : calls
    const args = [clock, ...decision.rule, ...costs]
    return backend.scripts.run({ script: decision.script, keys, args })
  }
}

/** A call as the script reads it: mostly just `1`. */
function wordOf({ cost, kind, permit }: LimitRequest): string {
  if (kind === 'peek') return `${cost}?`
  return permit === '' ? String(cost) : `${cost}:${permit}`
}
