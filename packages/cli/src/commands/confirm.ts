/** What destroys is asked about, on a terminal; elsewhere it needs --yes. */

import { createInterface } from 'node:readline/promises'
import type { Session } from '../connect/session.ts'
import { CommandFailure } from '../failure.ts'
import { visible } from '../output/escape.ts'

export interface Question {
  /** What would be done, with the count: `evict 3 keys of shop`. */
  readonly what: string
  /** What has to be typed instead of `yes`. */
  readonly typed?: string
}

/** Tells whether to go on. False with --dry-run. @throws CommandFailure when it was declined, or nobody can be asked */
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
    throw new CommandFailure('usage', 'Nothing was done: nobody can be asked here.', 'Give --yes.')
  }
  const wanted = typed ?? 'yes'
  const prompt = typed === undefined ? 'Go on? Type yes: ' : `Type ${visible(typed)} to go on: `
  const answer = await ask(session, prompt)
  if (answer.trim() === wanted) return true
  throw new CommandFailure('failed', 'Nothing was done.')
}

async function ask({ shell, signal }: Session, prompt: string): Promise<string> {
  const lines = createInterface({ input: shell.stdin, output: shell.stderr })
  try {
    return await lines.question(prompt, { signal })
  } finally {
    lines.close()
  }
}
