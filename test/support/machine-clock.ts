/** Milliseconds on the monotonic clock that all processes of a machine share; a stopped process finds it moved on. */
export function machineNow(): number {
  return Number(process.hrtime.bigint()) / NS_PER_MS
}

/** When `performance.now()` of this process was 0, on that clock. */
export function machineOrigin(): number {
  return machineNow() - performance.now()
}

const NS_PER_MS = 1e6
