/** Tells when a response of node:http is over, however it ends. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What a response ended with: all of it was handed over, or the client was gone before. */
export type ResponseEnd = 'finished' | 'gone'

const listeners = new WeakMap<Socket, Set<() => void>>()

/** Calls `listener` once, when the response is over; at once where it is already. */
export function onResponseEnd(
  request: IncomingMessage,
  response: ServerResponse,
  listener: (end: ResponseEnd) => void,
): void {
  const { socket } = request
  let isOver = false
  const end = (): void => {
    if (isOver) return
    isOver = true
    response.off('finish', end)
    response.off('close', end)
    forget()
    listener(response.writableFinished ? 'finished' : 'gone')
  }
  // A response that is pipelined behind others has no socket before its turn, and is not told when the connection closes.
  const forget = onSocketClose(socket, end)
  response.on('finish', end)
  response.on('close', end)
  if (response.writableFinished || response.destroyed || socket?.destroyed) end()
}

/** One listener for each connection, because a connection may have many requests at a time. */
function onSocketClose(socket: Socket | undefined, listener: () => void): () => void {
  if (typeof socket?.once !== 'function') return () => undefined
  let known = listeners.get(socket)
  if (known === undefined) {
    const all = new Set<() => void>()
    listeners.set(socket, all)
    socket.once('close', () => {
      for (const each of all) each()
    })
    known = all
  }
  known.add(listener)
  return () => known.delete(listener)
}
