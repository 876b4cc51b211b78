/**
 * Tells when the body of a response has been read, on servers that do not say when a response is over.
 *
 * A body that is not read tells nothing: Hono removes that of HEAD, and another middleware may put a response of its own in
 * the place of this one, such as one for timeouts, which answers while the handler still works. What was counted for such a
 * request must not stay counted for ever. So the end is also that the client has gone, and that the body is garbage.
 */

import type { Context } from 'hono'

/** Is told of the end. */
export interface BodyListener {
  /** The body was read to its end, with the status; without one the reader gave up. Only the first call counts. */
  end(status: number | undefined): void
  /** The same without a status. Holds nothing of the request, or its body would never be garbage. */
  readonly leave: () => void
}

const unread = new FinalizationRegistry<() => void>((leave) => leave())

/** Tells the listener when the body of the response is not read any more. */
export function onBodyEnd(c: Pick<Context, 'req' | 'res'>, listener: BodyListener): void {
  const { body, bodyUsed, status } = c.res
  if (body === null || c.req.method === 'HEAD') {
    listener.end(status)
    return
  }
  const { signal } = c.req.raw
  // It is being read already: it is the response of another middleware, and has been sent.
  if (bodyUsed || body.locked || signal.aborted) {
    listener.end(undefined)
    return
  }
  const { leave } = listener
  const stream = watched(body, (isWhole) => {
    signal.removeEventListener('abort', leave)
    listener.end(isWhole ? status : undefined)
  })
  signal.addEventListener('abort', leave, { once: true })
  unread.register(stream, leave)
  // Set anew, so that Hono keeps the fields.
  c.res = new Response(stream, c.res)
}

function watched(
  body: ReadableStream<Uint8Array>,
  onEnd: (isWhole: boolean) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) {
          controller.enqueue(value)
          return
        }
        onEnd(true)
        controller.close()
      } catch (error) {
        onEnd(false)
        controller.error(error)
      }
    },
    async cancel(reason) {
      onEnd(false)
      await reader.cancel(reason)
    },
  })
}
