/** The call of a handler, of whatever kind: a request, a field of GraphQL, a message. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ExecutionContext } from '@nestjs/common'

/** What requests of Express and Fastify have in common. A request has further properties of its platform and of guards. */
export interface HttpRequest {
  readonly ip?: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly params?: unknown
  readonly query?: unknown
  readonly body?: unknown
  readonly [name: string]: unknown
}

/** A call of a handler. */
export interface HandlerCall<Request = HttpRequest> {
  /** `http`, `graphql`, `ws` or `rpc`; as `context.getType()` says. */
  readonly kind: string
  /**
   * The address of the client, as the platform tells it by its settings of proxies. `undefined` for messages and where GraphQL has no
   * request: the address at the other end of a connection may be that of a proxy, and then all clients have the same.
   */
  readonly ip: string | undefined
  /** Of HTTP and GraphQL: the request of the platform. Of a gateway: the client. Of a message: its context. */
  readonly request: Request
  /** What Nest passes to guards and interceptors. */
  readonly context: ExecutionContext
}

/** The request and the response of an HTTP exchange, and the fields of the response as the platform keeps them. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  read(field: string): string | undefined
  write(fields: Readonly<Record<string, string>>): void
}

/** Describes the call of a handler, for guards and interceptors of your own. */
export function callOf<Request = HttpRequest>(context: ExecutionContext): HandlerCall<Request> {
  const kind = context.getType<string>()
  const request = requestOf(kind, context) as Request
  const isHttp = kind === 'http' || kind === 'graphql'
  const { ip } = isHttp ? ((request ?? {}) as { readonly ip?: unknown }) : {}
  return { kind, ip: typeof ip === 'string' ? ip : undefined, request, context }
}

/** Returns the exchange that a call is part of; undefined when there is none, or when the context of GraphQL does not have it. */
export function exchangeOf({ kind, request, context }: HandlerCall<unknown>): Exchange | undefined {
  const given =
    kind === 'http'
      ? context.switchToHttp().getResponse<unknown>()
      : kind === 'graphql'
        ? responseIn(context, request)
        : undefined
  const [rawRequest, response] = [rawOf(request), rawOf(given)]
  const isComplete =
    typeof rawRequest?.['headers'] === 'object' && typeof response?.['setHeader'] === 'function'
  if (!isComplete) return undefined
  return {
    request: rawRequest as unknown as IncomingMessage,
    response: response as unknown as ServerResponse,
    ...fieldsOf(given as PlatformResponse),
  }
}

/** A response of Express, which is one of node:http, or a reply of Fastify, which keeps its fields until it is sent. */
interface PlatformResponse {
  getHeader(name: string): unknown
  setHeader?(name: string, value: string): unknown
  header?(name: string, value: string): unknown
}

function fieldsOf(response: PlatformResponse): Pick<Exchange, 'read' | 'write'> {
  return {
    read(field) {
      const value = response.getHeader(field)
      if (value === undefined) return undefined
      return Array.isArray(value) ? value.join(', ') : String(value)
    },
    write(fields) {
      for (const [name, value] of Object.entries(fields)) {
        if (response.setHeader === undefined) response.header?.(name, value)
        else response.setHeader(name, value)
      }
    },
  }
}

function requestOf(kind: string, context: ExecutionContext): unknown {
  if (kind === 'graphql') {
    const own = graphqlContextOf(context)
    return own?.['req'] ?? own?.['request'] ?? asRecord(own?.['reply'])?.['request']
  }
  if (kind === 'ws') return context.switchToWs().getClient<unknown>()
  if (kind === 'rpc') return context.switchToRpc().getContext<unknown>()
  return context.switchToHttp().getRequest<unknown>()
}

/** Resolvers are called with (root, args, context, info). Which names the context has is the application's choice. */
function graphqlContextOf(context: ExecutionContext): Record<string, unknown> | undefined {
  return asRecord(context.getArgs<unknown[]>()[2])
}

function responseIn(context: ExecutionContext, request: unknown): unknown {
  const own = graphqlContextOf(context)
  return own?.['reply'] ?? own?.['res'] ?? own?.['response'] ?? asRecord(request)?.['res']
}

/** Fastify keeps those of node:http inside its own. */
function rawOf(one: unknown): Record<string, unknown> | undefined {
  const outer = asRecord(one)
  return asRecord(outer?.['raw']) ?? outer
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : undefined
}
