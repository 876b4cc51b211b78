/** Commands that remove something ask for confirmation on a terminal. Without a terminal they need --yes. */

import { createInterface } from 'node:readline/promises'
import type { Session } from '../connect/session.ts'
import { CommandFailure, Interrupted } from '../failure.ts'
import { visible } from '../output/escape.ts'

export interface Question {
  /** What would be done, with the count: `evict 3 keys of shop`. */
  readonly what: string
  /** What has to be typed instead of `yes`. */
  readonly typed?: string
}

/** Tells whether to go on. False with --dry-run. @throws CommandFailure when it was declined, and without a terminal */
export async function confirmed(session: Session, { what, typed }: Question): Promise<boolean> {
  const { options, shell, out } = session
  if (options.has('dry-run')) {
    out.talk(`Would ${what}. Nothing was done.`)
    return false
  }
  out.talk(`About to ${what}.`)
  if (options.has('yes')) return true
  // With - the keys come from stdin, and what is read there next is not an answer.
  const isTerminal = shell.stdin.isTTY === true && shell.stderr.isTTY === true
  if (!isTerminal || session.words.includes('-')) {
    throw new CommandFailure(
      'usage',
      'Nothing was done: there is no terminal to ask for confirmation.',
      'Give --yes.',
    )
  }
  const wanted = typed ?? 'yes'
  const prompt = typed === undefined ? 'Go on? Type yes: ' : `Type ${visible(typed)} to go on: `
  const answer = await ask(session, prompt)
  if (answer.trim() === wanted) return true
  throw new CommandFailure('failed', 'Nothing was done.')
}

function ask({ shell, signal }: Session, prompt: string): Promise<string> {
  const lines = createInterface({ input: shell.stdin, output: shell.stderr })
  return new Promise<string>((resolve, reject) => {
    // While it reads, it gets Ctrl+C of the terminal instead of the process, and it would go on waiting for an answer.
    lines.once('SIGINT', () => reject(new Interrupted()))
    lines.once('close', () => reject(new CommandFailure('failed', 'Nothing was done.')))
    lines.question(prompt, { signal }).then(resolve, reject)
  }).finally(() => lines.close())
}
