/** Tells when the body of a response has been read, on servers that do not say when a response is over. */

import type { Context } from 'hono'

type Listener = (status: number | undefined) => void

/** Calls `listener` when the body of the response is read to its end, with the status; without one when the reader gave up. */
export function onBodyEnd(c: Pick<Context, 'res'>, listener: Listener): void {
  const { body, status } = c.res
  if (body === null) {
    listener(status)
    return
  }
  // Set anew, so that Hono keeps the fields.
  c.res = new Response(
    watched(body, (isWhole) => listener(isWhole ? status : undefined)),
    c.res,
  )
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
