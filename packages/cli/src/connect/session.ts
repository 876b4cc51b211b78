/** What a command works with: an open connection, the namespace, what was asked for, and where to print. */

import { type Inspection, type InspectionSource, inspectRedis } from '@larder/redis-store/inspect'
import type { CallOptions } from '../arguments.ts'
import type { CommandRow } from '../command-table.ts'
import { CommandFailure } from '../failure.ts'
import type { Output } from '../output/output.ts'
import type { Shell } from '../shell.ts'
import type { Connection } from './connection.ts'
import { connectionFor } from './target.ts'

export interface Session {
  readonly inspection: Inspection
  /** The empty text for commands that need none. */
  readonly namespace: string
  readonly options: CallOptions
  readonly words: readonly string[]
  readonly out: Output
  readonly shell: Shell
  /** Aborted when the user interrupts, or the reader of the output has left. */
  readonly signal: AbortSignal
  /** Decodes a stored entry as the application does; absent where only its connection is known. */
  readonly value: Connection['value']
  /** A look into the Redis that has the locks, the limits or the sessions. */
  inspectionOf(what: 'locks' | 'limits' | 'sessions'): Promise<Inspection>
  close(): Promise<void>
}

export interface SessionParts {
  readonly command: CommandRow
  readonly options: CallOptions
  readonly words: readonly string[]
  readonly out: Output
  readonly shell: Shell
}

const NAMESPACE = /^[A-Za-z0-9_.-]{1,64}$/

/** @throws CommandFailure for wrong usage, and when Redis cannot be reached */
export async function openSession(parts: SessionParts): Promise<Session> {
  const { command, options, words, out, shell } = parts
  const connection = await connectionFor(options, shell)
  const opened: { close(): Promise<void> }[] = []
  if (connection.close !== undefined) opened.push({ close: connection.close })
  const connect = async (source: InspectionSource): Promise<Inspection> => {
    const inspection = await reached(source, connection)
    opened.push(inspection)
    return inspection
  }
  const close = async (): Promise<void> => {
    await Promise.allSettled(opened.map((each) => each.close()))
  }
  try {
    const namespace = namespaceFor(command, connection)
    warnOfPassword(options, out)
    const inspection = await connect(connection.source)
    return {
      ...{ inspection, namespace, options, words, out, shell, close },
      value: connection.value,
      signal: AbortSignal.any([shell.signal, out.left]),
      inspectionOf: async (what) => {
        const source = connection[what]
        return source === undefined ? inspection : connect(source)
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

function namespaceFor({ name, needsNamespace = true }: CommandRow, connection: Connection): string {
  const { namespace } = connection
  if (namespace !== undefined && !NAMESPACE.test(namespace)) {
    const takes = 'A namespace is 1 to 64 letters, digits, "_", "." or "-".'
    throw new CommandFailure('usage', takes)
  }
  if (namespace !== undefined || !needsNamespace) return namespace ?? ''
  throw new CommandFailure(
    'usage',
    `larder ${name} needs a namespace.`,
    'Give --namespace, or set LARDER_NAMESPACE. larder namespaces lists them.',
  )
}

async function reached(source: InspectionSource, { origin }: Connection): Promise<Inspection> {
  try {
    return await inspectRedis(source)
  } catch (error) {
    // Its message names the option that is wrong.
    if (error instanceof Error && error.name === 'InvalidOptionError') {
      throw new CommandFailure('usage', error.message, `Said by ${origin}.`)
    }
    const words = error instanceof Error ? error.message : String(error)
    throw new CommandFailure(
      'unreachable',
      `The Redis that ${origin} names is not reachable: ${words}`,
    )
  }
}

/** Others on the machine can read the arguments of a process. */
function warnOfPassword(options: CallOptions, out: Output): void {
  const url = options.text('url')
  if (url !== undefined && /^rediss?:\/\/[^/@]*:[^/@]+@/.test(url)) {
    out.talk('Note: everybody on this machine can see the password in --url. LARDER_URL hides it.')
  }
}
