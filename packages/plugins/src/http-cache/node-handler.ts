/** Handles requests of node:http, for middleware and for frameworks that stand on it. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { NodeExchange } from './node-exchange.ts'
import type { ResponseCache } from './response-cache.ts'

export interface NodeHandling<Request> {
  /** What the user's functions are given. */
  readonly request: Request
  readonly raw: IncomingMessage
  readonly response: ServerResponse
  /** What tells handlers of one path apart, where something before the cache has chosen between them. @default nothing */
  readonly route?: string | undefined
  /** Lets the handler run. */
  proceed(): void
  /** Is called before the cache answers in the place of the handler, which then does not run. */
  onAnswer?(): void
}

/** Rejects with what the user's functions throw. */
export function handleNode<Request>(
  cache: ResponseCache<Request>,
  { request, raw, response, route, proceed, onAnswer }: NodeHandling<Request>,
): Promise<void> {
  let hasProceeded = false
  const exchange = new NodeExchange({
    request: raw,
    response,
    wrapped: request,
    route,
    proceed: () => {
      hasProceeded = true
      proceed()
    },
    onAnswer: () => {
      if (!hasProceeded) onAnswer?.()
    },
    schedule: cache.schedule,
  })
  return cache.handle(exchange, request)
}
