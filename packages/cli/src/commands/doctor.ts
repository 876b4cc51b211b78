import type { Session } from '../connect/session.ts'
import { type Check, type CheckState, examine } from '../doctor/examine.ts'
import { EXIT } from '../failure.ts'
import { safeJson, visible } from '../output/escape.ts'
import type { Output, Style } from '../output/output.ts'
import { counted } from '../output/units.ts'

const STYLES: Readonly<Record<CheckState, Style>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
  unknown: 'dim',
}
const WIDEST_STATE = 7
const WIDEST_NAME = 11

export async function runDoctor(session: Session): Promise<number> {
  const { inspection, namespace, out, options, signal } = session
  const counts: Record<CheckState, number> = { ok: 0, warn: 0, fail: 0, unknown: 0 }
  for await (const check of examine(inspection, { namespace, signal })) {
    counts[check.state] += 1
    if (out.isJson) await out.line(safeJson(check))
    else for (const line of linesOf(check, out)) await out.line(line)
  }
  const isBad = counts.fail > 0 || (options.has('strict') && counts.warn > 0)
  out.talk(verdict(counts))
  return isBad ? EXIT.failed : EXIT.done
}

function linesOf({ check, state, found, why, fix }: Check, out: Output): readonly string[] {
  const indent = ' '.repeat(WIDEST_STATE + 2 + WIDEST_NAME + 2)
  const word = out.paint(STYLES[state], state.padEnd(WIDEST_STATE))
  return [
    `${word}  ${check.padEnd(WIDEST_NAME)}  ${visible(found)}`,
    ...(why === undefined ? [] : [`${indent}why  ${visible(why)}`]),
    ...(fix === undefined ? [] : [`${indent}fix  ${visible(fix)}`]),
  ]
}

/** The last line: what all checks come to. */
function verdict({ fail, warn, unknown }: Readonly<Record<CheckState, number>>): string {
  const notes = [
    ...(warn > 0 ? [counted(warn, 'warning')] : []),
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
  ]
  const behind = notes.length === 0 ? '' : ` (${notes.join(', ')})`
  if (fail > 0)
    return `${counted(fail, 'fault')}${behind}: Larder will not work as it should on this Redis.`
  return `No faults${behind}.`
}
