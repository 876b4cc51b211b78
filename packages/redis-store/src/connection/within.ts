import { startTimer } from '@larder/core/store'

/** Bounds how long something is waited for; what comes later is ignored. @throws Error when the time is over */
export function within<Result>(ms: number, promise: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const fail = (): void => {
      // A process that was held up may find the answer waiting in the socket: sockets are looked at before this runs.
      setImmediate(() => reject(new Error(`No answer within ${ms} ms`)))
    }
    // Callers that wait for the connection have their own deadlines.
    const cancel = startTimer(ms, fail, 'background')
    promise.then(resolve, reject).finally(cancel)
  })
}
