/** Applies guards to a request of Fastify, in one decision, and answers it where one refuses. */

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { PassedRequest, RefusedRequest } from '../http/decision.ts'
import type { Fields } from '../http/field-lists.ts'
import type { LimitGuard } from '../http/limit-guard.ts'
import { onResponseEnd } from '../http/response-end.ts'
import { tighter } from '../http/standings.ts'
import { HiddenAddresses } from '../http/trusted-proxies.ts'

/** Returns the guards of a request, in their order. */
export type GuardsOf = (request: FastifyRequest) => readonly LimitGuard<FastifyRequest>[]

/** A hook of Fastify. */
export type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** For a client that is gone, which does not read it. */
const CLIENT_CLOSED_REQUEST = 499

/** Makes a hook; `believesAnybody`: clients choose their address. */
export function makeHook(guardsOf: GuardsOf, believesAnybody: boolean): Hook {
  const hidden = new HiddenAddresses('rateLimit', 'trustProxy')
  return async (request, reply) => {
    const guards = guardsOf(request)
    if (guards.length === 0) return undefined
    // A key that could not be seen through when it was said is an error when it reads the address.
    const asked = believesAnybody ? hidden.of(request) : request
    if (await limit(guards, { request, reply, asked })) return undefined
    // Fastify goes on with the request unless it is answered, also when the client is gone.
    return reply.sent ? reply : reply.code(CLIENT_CLOSED_REQUEST).send()
  }
}

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** The request as keys may see it. */
  readonly asked: FastifyRequest
}

/** Resolves to whether the request may go on; if not, it has been answered, or its client is gone. */
async function limit(
  guards: readonly LimitGuard<FastifyRequest>[],
  { request, reply, asked }: Exchange,
): Promise<boolean> {
  const gone = new AbortController()
  const passed: PassedRequest[] = []
  let mayEnd = false
  let status: number | undefined
  const end = (): void => {
    if (mayEnd && gone.signal.aborted) for (const each of passed) each.end(status)
  }
  onResponseEnd(request.raw, reply.raw, (how) => {
    status = how === 'finished' ? reply.raw.statusCode : undefined
    gone.abort()
    end()
  })
  const giveBack = (): Promise<unknown> => Promise.all(passed.map((each) => each.giveBack()))
  try {
    for (const guard of guards) {
      const decision = await guard.decide(asked, gone.signal)
      if (decision.kind === 'refused') {
        await giveBack()
        request.rateLimit = tighter(request.rateLimit, decision.verdict) ?? null
        if (!gone.signal.aborted) answer(reply, decision)
        return false
      }
      passed.push(decision)
    }
  } catch (error) {
    await giveBack()
    if (gone.signal.aborted) return false
    throw error
  }
  if (gone.signal.aborted) {
    await giveBack()
    return false
  }
  mayEnd = true
  for (const decision of passed) {
    request.rateLimit = tighter(request.rateLimit, decision.verdict) ?? null
    setFields(reply, decision.fields(readFrom(reply)))
  }
  return true
}

function answer(reply: FastifyReply, decision: RefusedRequest): void {
  const { fields, body } = decision.answer(readFrom(reply))
  setFields(reply, fields)
  // Bytes, so that no schema of the route leaves parts of it out, and no charset is added, which this type does not have.
  reply
    .code(decision.status)
    .header('content-type', 'application/problem+json')
    .send(Buffer.from(body))
}

function readFrom(reply: FastifyReply): (name: string) => string | undefined {
  return (name) => {
    const value = reply.getHeader(name)
    if (value === undefined) return undefined
    return Array.isArray(value) ? value.join(', ') : String(value)
  }
}

function setFields(reply: FastifyReply, fields: Fields): void {
  for (const [name, value] of Object.entries(fields)) reply.header(name, value)
}
