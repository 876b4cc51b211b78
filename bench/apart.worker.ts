/** A process that answers one question; see apart.ts. */

import type { Answer, Errand } from './apart.ts'

type Question = (...args: readonly unknown[]) => Promise<unknown>

process.once('message', async ({ module, question, args }: Errand) => {
  const answer = await answerTo(module, question, args)
  process.send?.(answer, () => process.exit())
})

async function answerTo(
  module: string,
  question: string,
  args: readonly unknown[],
): Promise<Answer> {
  try {
    const exports: Record<string, Question> = await import(module)
    return { result: await exports[question]?.(...args) }
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
