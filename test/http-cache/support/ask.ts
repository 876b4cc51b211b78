/** Asks servers as exactly as a test says it: `fetch` would mend targets and fields. */

import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Question {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** The key of `/`. `hostname`: what a framework makes of the host. */
export const keyOf = (hostname: string): readonly string[] => [
  ...['GET', '127.0.0.1', '/', '/', ''],
  JSON.stringify(['http', hostname, '', 0]),
]

/** Asks one question over a connection of its own, and returns the answer, and what can end it before. */
export function asking(
  port: number,
  { method = 'GET', path = '/', headers = {}, body }: Question = {},
): { readonly answer: Promise<Answer>; readonly client: ClientRequest } {
  const client = request({ port, host: '127.0.0.1', method, path, headers, agent: false })
  const answer = new Promise<Answer>((resolve, reject) => {
    client.on('error', reject)
    client.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0 } = response
        resolve({
          status: statusCode,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        })
      })
    })
  })
  client.end(body)
  return { answer, client }
}

export function ask(port: number, question: Question = {}): Promise<Answer> {
  return asking(port, question).answer
}

/** What a response says of itself in `Cache-Status`. */
export const statusOf = ({ headers }: Answer): string => String(headers['cache-status'] ?? '')
