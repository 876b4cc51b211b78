/** What `--help` prints, made from the table of commands. */

import {
  COMMANDS,
  type CommandRow,
  GLOBAL_OPTIONS,
  type OptionRow,
  optionText,
  usageOf,
} from './command-table.ts'

const WIDEST = 100

/** The help of the program. */
export function programHelp(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length))
  return [
    'Usage: larder COMMAND [options]',
    '',
    'Shows what Larder keeps in Redis, and evicts from it.',
    '',
    'Commands:',
    ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Options of every command:',
    ...optionLines(GLOBAL_OPTIONS),
    '',
    'larder COMMAND --help explains a command.',
    EXIT_CODES,
  ].join('\n')
}

/** The help of one command. */
export function commandHelp(command: CommandRow): string {
  const { summary, more, options = [], examples } = command
  return [
    `Usage: ${usageOf(command)}`,
    '',
    ...wrapped(`${summary}.`),
    ...(more === undefined ? [] : ['', ...wrapped(more)]),
    '',
    'Examples:',
    ...examples.flatMap(([line, meaning]) => [`  ${line}`, `      ${meaning}`]),
    ...(options.length === 0 ? [] : ['', 'Options:', ...optionLines(options)]),
    '',
    'Options of every command:',
    ...optionLines(GLOBAL_OPTIONS),
  ].join('\n')
}

const EXIT_CODES =
  'Exit codes: 0 done, 1 failed, 2 wrong usage, 3 Redis not reachable, 4 not found.'

function optionLines(options: readonly OptionRow[]): readonly string[] {
  const width = Math.max(...options.map((option) => optionText(option).length))
  return options.flatMap((option) => {
    const [first = '', ...rest] = wrapped(option.meaning, WIDEST - width - 4)
    const indent = ' '.repeat(width + 4)
    return [`  ${optionText(option).padEnd(width)}  ${first}`, ...rest.map((line) => indent + line)]
  })
}

function wrapped(text: string, width = WIDEST): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > width) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
