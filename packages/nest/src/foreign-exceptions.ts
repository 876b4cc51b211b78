/**
 * Refusals as exceptions of Nest's packages for messages. These are loaded only when an application has handlers of their kind, because
 * both packages are optional. An exception of another class would reach a client as "Internal server error".
 */

import { type ArgumentsHost, Logger } from '@nestjs/common'
import { type Problem, ProblemException } from './problem-exception.ts'

type Rpc = Pick<typeof import('@nestjs/microservices'), 'RpcException' | 'BaseRpcExceptionFilter'>
type Ws = Pick<typeof import('@nestjs/websockets'), 'WsException' | 'BaseWsExceptionFilter'>

const logger = new Logger('LarderModule')

/** Kinds of handlers that need a package of their own. */
export type ForeignKind = 'rpc' | 'ws'

export class ForeignExceptions {
  #rpc: Rpc | undefined
  #ws: Ws | undefined

  /** Loads the packages that these kinds need. */
  async load(kinds: ReadonlySet<ForeignKind>): Promise<void> {
    if (kinds.has('rpc')) this.#rpc = await loaded(() => import('@nestjs/microservices'))
    if (kinds.has('ws')) this.#ws = await loaded(() => import('@nestjs/websockets'))
  }

  /** Returns the exception to throw in a handler of a kind. */
  for(kind: string, problem: Problem, cause?: unknown): Error {
    if (kind === 'rpc' && this.#rpc !== undefined) return new this.#rpc.RpcException({ ...problem })
    if (kind === 'ws' && this.#ws !== undefined) return new this.#ws.WsException({ ...problem })
    return new ProblemException(problem, cause)
  }

  /** Answers a message as Nest answers its own exceptions. Undefined for kinds that are answered in another way. */
  answer(
    kind: string,
    problem: Problem,
    host: ArgumentsHost,
  ): { readonly reply: unknown } | undefined {
    if (kind === 'rpc' && this.#rpc !== undefined) {
      const { RpcException, BaseRpcExceptionFilter } = this.#rpc
      return { reply: new BaseRpcExceptionFilter().catch(new RpcException({ ...problem }), host) }
    }
    if (kind === 'ws' && this.#ws !== undefined) {
      const { WsException, BaseWsExceptionFilter } = this.#ws
      return { reply: new BaseWsExceptionFilter().catch(new WsException({ ...problem }), host) }
    }
    return undefined
  }
}

/** The application must start even if the package is installed where this one cannot find it. */
async function loaded<Package>(load: () => Promise<Package>): Promise<Package | undefined> {
  try {
    return await load()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    logger.warn(`Refused messages are answered with "Internal server error": ${why}`)
    return undefined
  }
}
