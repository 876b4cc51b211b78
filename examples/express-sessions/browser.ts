/** A browser, as far as this example needs one: it keeps one cookie, and says which device it is. */

export class Browser {
  readonly device: string
  readonly #url: string
  #cookie = ''

  constructor(url: string, device: string) {
    this.#url = url
    this.device = device
  }

  async send(method: 'GET' | 'POST', path: string): Promise<{ status: number; body: unknown }> {
    const headers = { cookie: this.#cookie, 'user-agent': this.device }
    const response = await fetch(this.#url + path, { method, headers })
    const [line] = response.headers.getSetCookie()
    if (line !== undefined) this.#cookie = line.split(';')[0] ?? ''
    return { status: response.status, body: await response.json() }
  }
}
