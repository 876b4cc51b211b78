/**
 * Data goes to stdout, and messages to people go to stderr. With `--json` data is one JSON object per line, else text for people.
 *
 * The command waits for a slow reader, and ends silently when the reader has left (`larder keys | head`).
 */

import { once } from 'node:events'
import type { OutStream, Shell } from '../shell.ts'
import { safeJson, visible } from './escape.ts'
import { type Column, tableOf } from './table.ts'

/** The reader of stdout has left. */
export class ReaderLeft extends Error {
  override readonly name = 'ReaderLeft'
}

const STYLES = { green: 32, yellow: 33, red: 31, dim: 2, bold: 1 } as const
export type Style = keyof typeof STYLES

export class Output {
  readonly isJson: boolean
  readonly #stdout: OutStream
  readonly #stderr: OutStream
  readonly #hasColour: boolean
  /** Aborted when the reader of stdout has left. */
  readonly #left = new AbortController()

  constructor(
    { stdout, stderr, env }: Shell,
    how: { readonly json: boolean; readonly colour: boolean },
  ) {
    this.isJson = how.json
    this.#stdout = stdout
    this.#stderr = stderr
    const isPlain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
    this.#hasColour = how.colour && stdout.isTTY === true && !isPlain
    stdout.on('error', () => this.#left.abort(new ReaderLeft()))
    // A caller that has closed stderr wants no messages.
    stderr.on('error', () => undefined)
  }

  /** Aborted when nobody reads any more. */
  get left(): AbortSignal {
    return this.#left.signal
  }

  /** Colours a text that is ours, or was made visible before. */
  paint(style: Style, text: string): string {
    return this.#hasColour ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text
  }

  /** A line of data. @throws ReaderLeft */
  async line(text: string): Promise<void> {
    if (this.left.aborted) throw new ReaderLeft()
    if (this.#stdout.write(`${text}\n`)) return
    try {
      await once(this.#stdout, 'drain', { signal: this.left })
    } catch {
      throw new ReaderLeft()
    }
  }

  /** One thing: an object in JSON, lines for people. @throws ReaderLeft */
  async one(data: object, lines: () => readonly string[]): Promise<void> {
    if (this.isJson) await this.line(safeJson(data))
    else for (const text of lines()) await this.line(text)
  }

  /** Things of a kind, as they come: an object per line in JSON, a table for people. @throws ReaderLeft */
  async list<Row extends object>(
    columns: readonly Column<Row>[],
    rows: AsyncIterable<Row>,
  ): Promise<void> {
    if (this.isJson) for await (const row of rows) await this.line(safeJson(row))
    else for await (const text of tableOf(columns, rows)) await this.line(text)
  }

  /** Says something to people that is not data. Text of others is made visible. */
  talk(text: string): void {
    this.#stderr.write(`${text.split('\n').map(visible).join('\n')}\n`)
  }
}
