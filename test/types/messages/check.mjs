/**
 * `node check.mjs TSC PROJECT…`: compiles each project, and tells which mistakes of `mistakes.ts` are accepted, or refused
 * without the words that lead to the cure.
 */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const SAYS = /^\s*\/\/ says: (.*)$/

/** Returns what is wrong with the messages; nothing is. */
export function wrongMessages(tsc, project) {
  const lines = readFileSync(join(dirname(project), 'mistakes.ts'), 'utf8').split('\n')
  const { stdout } = spawnSync(tsc, ['-p', project, '--pretty', 'false'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  const messages = new Map()
  let at
  for (const text of stdout.split('\n')) {
    const [, line] = /mistakes\.ts\((\d+),/.exec(text) ?? []
    if (line !== undefined) at = mistakeAbove(lines, Number(line) - 1)
    messages.set(at, `${messages.get(at) ?? ''}${text}\n`)
  }
  return lines.flatMap((line, index) => {
    const wanted = SAYS.exec(line)?.[1]
    if (wanted === undefined) return []
    const message = messages.get(index) ?? 'nothing\n'
    return message.includes(wanted)
      ? []
      : [`mistakes.ts:${index + 1} does not say ${wanted} but ${message}`]
  })
}

function mistakeAbove(lines, line) {
  let at = line
  while (at > 0 && !SAYS.test(lines[at] ?? '')) at -= 1
  return at
}

if (process.argv[2] !== undefined) {
  const [, , tsc, ...projects] = process.argv
  const wrong = projects.flatMap((project) => wrongMessages(tsc, project))
  process.stdout.write(wrong.length === 0 ? 'every message leads to its cure\n' : wrong.join('\n'))
  process.exitCode = wrong.length === 0 ? 0 : 1
}
