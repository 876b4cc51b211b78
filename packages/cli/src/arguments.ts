/** Parses the words of a call into a command and its options. An unknown name is an error that suggests the nearest known name. */

import { parseArgs } from 'node:util'
import { InvalidOptionError } from '@larder/core'
import { nearestName, parseDuration } from '@larder/core/store'
import {
  COMMANDS,
  type CommandRow,
  commandNamed,
  GLOBAL_OPTIONS,
  type OptionRow,
  usageOf,
} from './command-table.ts'
import { CommandFailure } from './failure.ts'

/** The options of a call, by name: texts, and `true` for switches. */
export class CallOptions {
  readonly #values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values
  }

  has(name: string): boolean {
    return this.#values[name] === true
  }

  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  /** A whole number from 0. @throws CommandFailure */
  count(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const number = Number(text)
    if (text.trim() !== '' && Number.isSafeInteger(number) && number >= 0) return number
    throw usage(`--${name} takes a whole number from 0, not '${text}'.`)
  }

  /** A length of time, ms. @throws CommandFailure */
  duration(name: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    try {
      const unit = /^\d+$/.test(text) ? Number(text) : text
      return parseDuration(unit as `${number}s`, `--${name}`, { min: 1, max: 3_600_000 })
    } catch (error) {
      if (error instanceof InvalidOptionError) throw usage(error.message)
      throw error
    }
  }
}

export type Call =
  | { readonly kind: 'help'; readonly command: CommandRow | undefined }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'command'
      readonly command: CommandRow
      readonly options: CallOptions
      readonly words: readonly string[]
    }

/** @throws CommandFailure for wrong usage */
export function parseCall(args: readonly string[]): Call {
  const at = args.findIndex((arg) => !arg.startsWith('-'))
  const name = args[0]
  if (name === undefined || name === '--help' || name === '-h')
    return { kind: 'help', command: undefined }
  if (name === '--version' || name === '-v') return { kind: 'version' }
  if (name === 'help') return { kind: 'help', command: helped(args[1]) }
  if (at !== 0)
    throw usage(`The command comes first, before ${name}.`, 'larder --help lists the commands.')
  const command = known(name)
  const { values, positionals } = parsed(command, args.slice(1))
  if (values['help'] === true) return { kind: 'help', command }
  checkWords(command, positionals)
  return { kind: 'command', command, options: new CallOptions(values), words: positionals }
}

function helped(name: string | undefined): CommandRow | undefined {
  return name === undefined ? undefined : known(name)
}

function known(name: string): CommandRow {
  const command = commandNamed(name)
  if (command !== undefined) return command
  const nearest = nearestName(
    name,
    COMMANDS.map((each) => each.name),
  )
  const hint =
    nearest === undefined ? 'larder --help lists the commands.' : `Did you mean ${nearest}?`
  throw usage(`There is no command '${name}'.`, hint)
}

interface Parsed {
  readonly values: Readonly<Record<string, unknown>>
  readonly positionals: readonly string[]
}

function parsed(command: CommandRow, args: readonly string[]): Parsed {
  const rows = [...(command.options ?? []), ...GLOBAL_OPTIONS]
  try {
    return parseArgs({
      args: [...args],
      options: Object.fromEntries(rows.map(configOf)),
      allowPositionals: true,
      strict: true,
    })
  } catch (error) {
    throw refusal(error, command, rows)
  }
}

function configOf({ name, short, value }: OptionRow) {
  const type = value === undefined ? ('boolean' as const) : ('string' as const)
  return [name, short === undefined ? { type } : { type, short }] as const
}

/** Turns an error of `parseArgs` into a failure that suggests the name that was probably meant. */
function refusal(error: unknown, command: CommandRow, rows: readonly OptionRow[]): unknown {
  const { code, message } = error as { readonly code?: string; readonly message: string }
  const help = `larder ${command.name} --help lists its options.`
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const said = /'--?([^' ]+)'/.exec(message)?.[1] ?? ''
    const nearest = nearestName(
      said,
      rows.map(({ name }) => name),
    )
    const hint = nearest === undefined ? help : `Did you mean --${nearest}?`
    return usage(`larder ${command.name} has no option '${said}'.`, hint)
  }
  if (code?.startsWith('ERR_PARSE_ARGS') === true) return usage(`${message.split('\n')[0]}.`, help)
  return error
}

function checkWords(command: CommandRow, words: readonly string[]): void {
  const { takes = [] } = command
  const least = takes.filter(({ isOptional = false }) => !isOptional).length
  const most = takes.some(({ isMany = false }) => isMany) ? Number.POSITIVE_INFINITY : takes.length
  if (words.length < least) {
    throw usage(`${takes[words.length]?.name} is missing.`, `Usage: ${usageOf(command)}`)
  }
  if (words.length > most) {
    throw usage(`'${words[most]}' is one word too many.`, `Usage: ${usageOf(command)}`)
  }
}

function usage(message: string, fix?: string): CommandFailure {
  return new CommandFailure('usage', message, fix)
}
