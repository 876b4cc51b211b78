/** Runs one call of the program: from its words to an exit code. Throws nothing, and leaves nothing open. */

import { StoreUnavailableError } from '@larder/core'
import { startTimer } from '@larder/core/store'
import { type Call, parseCall } from './arguments.ts'
import type { CommandRow } from './command-table.ts'
import { openSession, type Session } from './connect/session.ts'
import { CommandFailure, EXIT, Interrupted } from './failure.ts'
import { commandHelp, programHelp } from './help.ts'
import { safeJson } from './output/escape.ts'
import { Output, ReaderLeft } from './output/output.ts'
import { runCommand } from './run-command.ts'
import type { Shell } from './shell.ts'
import { VERSION } from './version.ts'

const GRACE_MS = 250

/** Returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 not reachable, 4 not found, 130 interrupted. */
export async function main(shell: Shell): Promise<number> {
  const json = shell.args.includes('--json')
  const out = new Output(shell, { json, colour: !shell.args.includes('--no-color') })
  try {
    return await run(parseCall(shell.args), shell, out)
  } catch (error) {
    return end(error, shell, out)
  }
}

async function run(call: Call, shell: Shell, out: Output): Promise<number> {
  if (call.kind === 'help') {
    await printLines(out, call.command === undefined ? programHelp() : commandHelp(call.command))
    return EXIT.done
  }
  if (call.kind === 'version') {
    await out.line(VERSION)
    return EXIT.done
  }
  const session = await openSession({ ...call, out, shell })
  try {
    // A command may wait for a server that does not answer, or for an answer of the user: then it ends here.
    return await Promise.race([
      runCommand(call.command.name, session),
      interruption(session, call.command),
    ])
  } finally {
    await session.close()
  }
}

/** Rejects when the command has to end before it is done. */
function interruption(
  { signal, inspection }: Session,
  { isLasting = false }: CommandRow,
): Promise<never> {
  return new Promise((_, reject) => {
    // The command gets a moment to end by itself, and to print how far it came.
    const stop = (): void => {
      startTimer(GRACE_MS, () => reject(signal.reason), 'background')
    }
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    if (isLasting) return
    void inspection.ended.then((reason) => {
      const words = reason instanceof Error ? reason.message : String(reason)
      reject(new CommandFailure('unreachable', `The connection to Redis has ended: ${words}`))
    })
  })
}

async function printLines(out: Output, text: string): Promise<void> {
  for (const line of text.split('\n')) await out.line(line)
}

/** Says how it ended, and returns the exit code for it. */
function end(error: unknown, shell: Shell, out: Output): number {
  if (error instanceof ReaderLeft || out.left.aborted) return EXIT.done
  if (shell.signal.aborted || error instanceof Interrupted) return EXIT.interrupted
  const failure = failureOf(error)
  if (out.isJson) {
    const { message, kind, fix } = failure
    out.talk(safeJson({ error: { code: kind, message, fix: fix ?? null } }))
  } else {
    out.talk(`larder: ${failure.message}`)
    if (failure.fix !== undefined) out.talk(failure.fix)
  }
  return EXIT[failure.kind]
}

/** Messages of the client or the server hold no passwords: what ioredis attaches to its errors is not printed. */
function failureOf(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  const message = error instanceof Error ? error.message : String(error)
  const isGone =
    error instanceof StoreUnavailableError || /^Connection is closed|ECONNRESET|EPIPE/.test(message)
  return new CommandFailure(isGone ? 'unreachable' : 'failed', message)
}
