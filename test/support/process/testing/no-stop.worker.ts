// A worker module without a `stop`: its process is ended, whatever is still open.

setInterval(() => {}, 60_000)

export const worker = {
  async ping(): Promise<string> {
    return 'pong'
  },
}
