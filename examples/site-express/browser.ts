/** A browser, as far as this example needs one: it keeps one cookie, and says which device it is. */

export interface Answer {
  readonly status: number
  readonly body: unknown
  /** What a cache says of it, if it passed one. */
  readonly cache: string | null
}

export class Browser {
  readonly device: string
  readonly #url: string
  #cookie = ''

  constructor(url: string, device: string) {
    this.#url = url
    this.device = device
  }

  async send(method: 'GET' | 'POST', path: string): Promise<Answer> {
    const cookie = this.#cookie === '' ? {} : { cookie: this.#cookie }
    const headers = { ...cookie, 'user-agent': this.device }
    const response = await fetch(this.#url + path, { method, headers })
    const [line] = response.headers.getSetCookie()
    if (line !== undefined) this.#cookie = line.split(';')[0] ?? ''
    const cache = response.headers.get('Cache-Status')
    return { status: response.status, body: await response.json(), cache }
  }
}
