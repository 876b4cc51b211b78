/** Tells when a response of node:http or node:http2 is over, however it ends. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What a response ended with: all of it was handed over, or the client was gone before. */
export type ResponseEnd = 'finished' | 'gone'

type Listener = (end: ResponseEnd) => void

/** One listener for each response and connection: a response may meet many limits, and a connection may carry many requests at a time. */
const responses = new WeakMap<ServerResponse, Set<Listener>>()
const connections = new WeakMap<Socket, Set<() => void>>()

/** Calls `listener` once, when the response is over; at once where it is already. */
export function onResponseEnd(
  request: IncomingMessage,
  response: ServerResponse,
  listener: Listener,
): void {
  const isFinished = response.writableFinished === true
  if (isFinished || response.destroyed || request.socket?.destroyed) {
    listener(isFinished ? 'finished' : 'gone')
    return
  }
  const known = responses.get(response)
  if (known !== undefined) {
    known.add(listener)
    return
  }
  const listeners = new Set([listener])
  responses.set(response, listeners)
  watch(request, response, (end) => {
    responses.delete(response)
    for (const each of listeners) each(end)
  })
}

function watch(request: IncomingMessage, response: ServerResponse, listener: Listener): void {
  let isOver = false
  const over = (end: ResponseEnd): void => {
    if (isOver) return
    isOver = true
    response.off('finish', finished)
    response.off('close', closed)
    forget()
    listener(end)
  }
  const finished = (): void => over('finished')
  const closed = (): void => over(response.writableFinished === true ? 'finished' : 'gone')
  // A response that is pipelined behind others has no socket before its turn, and is not told when the connection closes.
  const forget = onSocketClose(request.socket, closed)
  response.on('finish', finished)
  response.on('close', closed)
}

function onSocketClose(socket: Socket | undefined, listener: () => void): () => void {
  if (typeof socket?.once !== 'function') return () => undefined
  let known = connections.get(socket)
  if (known === undefined) {
    const all = new Set<() => void>()
    connections.set(socket, all)
    socket.once('close', () => {
      for (const each of all) each()
    })
    known = all
  }
  known.add(listener)
  return () => known.delete(listener)
}
