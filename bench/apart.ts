/**
 * Asks a question in a process of its own. In one with others, its figures would be theirs as well: a heap they have
 * grown, and code that was compiled for all of them.
 */

import { fork } from 'node:child_process'

export interface Errand {
  /** The module of the question, as a URL. */
  readonly module: string
  /** Its name there. */
  readonly question: string
  readonly args: readonly unknown[]
}

export type Answer = { readonly result: unknown } | { readonly error: string }

/** `question` is an export of `module`; what it takes and returns is copied between the processes. */
export function apart<Args extends readonly unknown[], Result>(
  module: string,
  question: (...args: Args) => Promise<Result>,
): (...args: Args) => Promise<Result> {
  return (...args) =>
    new Promise((resolve, reject) => {
      const child = fork(new URL('./apart.worker.ts', import.meta.url))
      child.once('message', (answer: Answer) => {
        if ('error' in answer) reject(new Error(answer.error))
        else resolve(answer.result as Result)
      })
      child.once('exit', (code) => reject(new Error(`${question.name} ended with ${code}`)))
      child.send({ module, question: question.name, args } satisfies Errand)
    })
}
