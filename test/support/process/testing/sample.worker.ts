// A worker module for the tests of workers.

let greeting = ''
let timer: NodeJS.Timeout | undefined

export const worker = {
  async start(
    init: { readonly greeting: string; readonly fails?: boolean } | undefined,
  ): Promise<void> {
    if (init?.fails) throw new RangeError('cannot start')
    greeting = init?.greeting ?? 'hello'
  },
  async greet(name: string): Promise<string> {
    return `${greeting} ${name} from ${process.pid}`
  },
  async echo<Value>(value: Value): Promise<Value> {
    return value
  },
  async fail(): Promise<never> {
    throw Object.assign(new TypeError('as asked', { cause: new Error('deeper') }), {
      code: 'SAMPLE',
    })
  },
  async giveFunction(): Promise<() => void> {
    return () => {}
  },
  async rejectUnhandled(): Promise<void> {
    void Promise.reject(new Error('nobody listens'))
  },
  async throwUncaught(): Promise<void> {
    setImmediate(() => {
      throw new Error('out of the blue')
    })
    await new Promise(() => {})
  },
  async warn(text: string): Promise<void> {
    console.error(text)
  },
  async leaveTimer(): Promise<void> {
    timer = setInterval(() => {}, 60_000)
  },
  async condition(): Promise<string> {
    return import.meta.resolve('@larder/core')
  },
  async stop(): Promise<void> {
    if (greeting === 'cannot stop') throw new Error('stop failed')
    if (greeting === 'tidy') clearInterval(timer)
  },
}
