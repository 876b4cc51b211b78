/** The language server of the compiler, asked as an editor asks it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

interface Answer {
  readonly id?: number | string
  readonly method?: string
  readonly result?: { readonly contents?: { readonly value?: string } } | null
  readonly error?: { readonly message: string }
}

const HEADER_END = '\r\n\r\n'

export class Editor {
  readonly #server: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #received = Buffer.alloc(0)
  #asked = 0

  constructor(tsc: string) {
    this.#server = spawn(tsc, ['--lsp', '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#server.stdout?.on('data', (chunk: Buffer) => this.#receive(chunk))
  }

  async open(file: string, folder: string): Promise<void> {
    const rootUri = pathToFileURL(folder).href
    const hover = { contentFormat: ['markdown'] }
    await this.#ask('initialize', {
      processId: null,
      rootUri,
      capabilities: { textDocument: { hover } },
    })
    this.#tell('initialized', {})
    const textDocument = {
      uri: pathToFileURL(file).href,
      languageId: 'typescript',
      version: 1,
      text: readFileSync(file, 'utf8'),
    }
    this.#tell('textDocument/didOpen', { textDocument })
  }

  /** What is shown over the character at `offset` of a file. */
  async hover(file: string, offset: number): Promise<string> {
    const before = readFileSync(file, 'utf8').slice(0, offset).split('\n')
    const position = { line: before.length - 1, character: before.at(-1)?.length ?? 0 }
    const { result } = await this.#ask('textDocument/hover', {
      textDocument: { uri: pathToFileURL(file).href },
      position,
    })
    return result?.contents?.value ?? ''
  }

  close(): void {
    this.#server.kill()
  }

  #ask(method: string, params: object): Promise<Answer> {
    const id = ++this.#asked
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#send({ id, method, params })
    })
  }

  #tell(method: string, params: object): void {
    this.#send({ method, params })
  }

  #send(message: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    this.#server.stdin?.write(`Content-Length: ${Buffer.byteLength(text)}${HEADER_END}${text}`)
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    for (;;) {
      const start = this.#received.indexOf(HEADER_END)
      if (start < 0) return
      const length = Number(
        /Content-Length: (\d+)/i.exec(this.#received.toString('latin1', 0, start))?.[1],
      )
      const end = start + HEADER_END.length + length
      if (this.#received.length < end) return
      const message = JSON.parse(
        this.#received.toString('utf8', start + HEADER_END.length, end),
      ) as Answer
      this.#received = this.#received.subarray(end)
      this.#take(message)
    }
  }

  #take(message: Answer): void {
    const { id, method } = message
    // A question of the server, such as for its settings: any answer will do.
    if (method !== undefined && id !== undefined) this.#send({ id, result: null })
    else if (typeof id === 'number') this.#waiting.get(id)?.(message)
  }
}
