/** Questions and answers between two processes, in both directions, over Node's own channel. */

import type { Serializable } from 'node:child_process'

interface Channel {
  send?(message: Serializable): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
}

type Frame =
  | {
      readonly kind: 'ask'
      readonly id: number
      readonly method: string
      readonly args: readonly unknown[]
    }
  | {
      readonly kind: 'answer'
      readonly id: number
      readonly value?: unknown
      readonly error?: string
    }

export type Methods = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>

/** The other process. */
export interface Peer {
  ask<Answer>(method: string, ...args: readonly unknown[]): Promise<Answer>
}

/** Connects both directions: `methods` answers the other side's questions. */
export function connectPeer(channel: Channel, methods: Methods): Peer {
  const asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let lastId = 0
  const send = (frame: Frame): void => {
    // The other side may have ended; then nobody waits for an answer either.
    channel.send?.(frame as Serializable)
  }
  channel.on('message', (message) => {
    const frame = message as Frame
    if (frame.kind === 'ask') {
      void answer(methods, frame).then(send)
      return
    }
    const waiting = asked.get(frame.id)
    asked.delete(frame.id)
    if (frame.error === undefined) waiting?.resolve(frame.value)
    else waiting?.reject(new Error(frame.error))
  })
  return {
    ask: <Answer>(method: string, ...args: readonly unknown[]) =>
      new Promise<Answer>((resolve, reject) => {
        const id = ++lastId
        asked.set(id, { resolve: (value) => resolve(value as Answer), reject })
        send({ kind: 'ask', id, method, args })
      }),
  }
}

async function answer(methods: Methods, frame: Extract<Frame, { kind: 'ask' }>): Promise<Frame> {
  try {
    const value = await methods[frame.method]?.(...(frame.args as never[]))
    return { kind: 'answer', id: frame.id, value }
  } catch (error) {
    return {
      kind: 'answer',
      id: frame.id,
      error: error instanceof Error ? error.message : String(error),
    }
  }
}
