/** `npm run house`: the numbers that say whether the code is still easy to find one's way in. */

import { FLOORS, LONGER, MOST_LINES, UPWARD } from './floors.mjs'
import { measure } from './measure.mjs'

const COLUMNS = ['files', 'lines', 'median', 'p90', 'longest']

/** Prints them. Tests are not counted, nor what is generated. */
export function printHouse() {
  const { packages, whole, support, long, cycles, upward } = measure()
  const lines = [
    row('', COLUMNS),
    ...packages.map((each) => row(each.name, figuresOf(each))),
    row('together', figuresOf(whole)),
    ...support.map((each) => row(each.name, figuresOf(each))),
    '',
    `Files above ${MOST_LINES} lines: ${long.length} (${Object.keys(LONGER).length} known)`,
    ...long.map(({ file, lines }) => `  ${file} ${lines}`),
    `Import cycles: ${cycles.length}`,
    ...cycles.map((cycle) => `  ${cycle}`),
    `Upward imports in core: ${upward.length} (${UPWARD.length} known)`,
    ...upward.map((path) => `  ${path}`),
    `Floors of core, from the ground up: ${FLOORS.join(', ')}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

function figuresOf(lengths) {
  return COLUMNS.map((column) => String(lengths[column]))
}

function row(name, cells) {
  return name.padEnd(14) + cells.map((cell) => cell.padStart(9)).join('')
}
