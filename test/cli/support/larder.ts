/** Calls of `larder`, in this process: what they print, and how they end. */

import { PassThrough, Readable, Writable } from 'node:stream'
import { inject } from 'vitest'
import { main } from '../../../packages/cli/src/main.ts'
import type { InStream, OutStream } from '../../../packages/cli/src/shell.ts'

export interface Called {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** The lines of stdout. */
  readonly lines: readonly string[]
  /** The lines of stdout as JSON. */
  readonly rows: readonly Record<string, unknown>[]
}

export interface CallParts {
  readonly url?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly stdin?: string
  /** A person at a terminal, who types this when asked. */
  readonly types?: string
  readonly isTerminal?: boolean
  readonly signal?: AbortSignal
  readonly onOutput?: (text: string) => void
  readonly onTalk?: (text: string) => void
  /** Called for each write to stdout, which then is not kept. */
  readonly onLine?: () => void
}

class Collected extends Writable {
  readonly isTTY: boolean
  readonly columns = 100
  text = ''
  readonly #onText: ((text: string) => void) | undefined

  constructor(isTTY: boolean, onText: ((text: string) => void) | undefined) {
    super()
    this.isTTY = isTTY
    this.#onText = onText
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    this.#onText?.(this.text)
    done()
  }
}

class Counted extends Writable {
  readonly isTTY = false
  readonly text = ''
  readonly #onLine: () => void

  constructor(onLine: () => void) {
    super()
    this.#onLine = onLine
  }

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#onLine()
    done()
  }
}

/** Calls `larder` with a line of words; `namespace` is put in by the environment. */
export async function larder(
  args: readonly string[],
  namespace?: string,
  parts: CallParts = {},
): Promise<Called> {
  const isTerminal = parts.isTerminal ?? parts.types !== undefined
  const stdin = inputOf(parts, isTerminal)
  const stdout =
    parts.onLine === undefined
      ? new Collected(isTerminal, parts.onOutput)
      : new Counted(parts.onLine)
  const stderr = new Collected(isTerminal, (text) => {
    parts.onTalk?.(text)
    if (/(: |go on: )$/.test(text) && parts.types !== undefined) {
      ;(stdin as unknown as PassThrough).push(`${parts.types}\n`)
    }
  })
  const code = await main({
    args,
    env: {
      LARDER_URL: parts.url ?? inject('redisUrl'),
      ...(namespace === undefined ? {} : { LARDER_NAMESPACE: namespace }),
      ...parts.env,
    },
    cwd: parts.cwd ?? process.cwd(),
    stdin,
    stdout: stdout as OutStream,
    stderr: stderr as OutStream,
    signal: parts.signal ?? new AbortController().signal,
  })
  return resultOf(code, stdout.text, stderr.text)
}

export function resultOf(code: number, stdout: string, stderr: string): Called {
  const lines = stdout.split('\n').slice(0, -1)
  return {
    code,
    stdout,
    stderr,
    lines,
    get rows() {
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    },
  }
}

function inputOf({ stdin }: CallParts, isTTY: boolean): InStream {
  if (isTTY) return Object.assign(new PassThrough(), { isTTY })
  return Readable.from(stdin === undefined ? [] : [stdin])
}
